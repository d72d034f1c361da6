"""tests/system/cluster.py - real speand processes in a scratch folder, for tests from outside.

A Cluster makes nodes, starts and stops them, and in the end ends every process that it started, by
its id, and removes the folder; after a failure the nodes' last log lines are printed first. Nothing
here sleeps for a fixed time: wait_for() looks again until a deadline.
"""

import errno
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

SKIPPED = 77
BUILD = pathlib.Path(os.environ.get("SPEAN_BUILD", "build/dev"))
SPEAN = (BUILD / "tools" / "spean").resolve()
SPEAND = (BUILD / "node" / "speand").resolve()
DEADLINE_S = float(os.environ.get("SPEAN_DEADLINE_S", "30"))
STOP_S = 15.0
PAUSE_S = 0.02
LOG_TAIL_LINES = 15
SANITIZER_WORDS = ("ERROR: AddressSanitizer", "runtime error", "WARNING: ThreadSanitizer")
ADMIN_PASSPHRASE = "a passphrase for the admin key"


class Failed(Exception):
    """An answer other than the one that the test asked for."""


def wait_for(condition, what, deadline_s=DEADLINE_S):
    """Return the first true value of condition(); fail when none comes within the deadline."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"not within {deadline_s:.0f} s: {what}")
        time.sleep(PAUSE_S)


def free_port():
    """A free port below those that the kernel gives to whoever asks for any, so that no connection
    of another test takes it before the node does."""
    while True:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", random.randrange(10240, 32768)))
                return probe.getsockname()[1]
            except OSError as err:
                if err.errno != errno.EADDRINUSE:
                    raise


class UnixConnection(http.client.HTTPConnection):
    """HTTP over the socket of a node."""

    def __init__(self, path):
        super().__init__("localhost", timeout=DEADLINE_S)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class Answer:
    """What the command `spean` did."""

    def __init__(self, words, finished):
        self.words = words
        self.exit = finished.returncode
        self.out = finished.stdout
        self.err = finished.stderr

    @property
    def json(self):
        try:
            return json.loads(self.out)
        except ValueError as err:
            raise Failed(f"{self.words}: no JSON: {self.out!r} {self.err!r}") from err

    def __repr__(self):
        return f"{' '.join(self.words)}: exit {self.exit}\n{self.out}{self.err}"


class Node:
    """One node: its home, its files beside it, its process."""

    def __init__(self, folder, org, country):
        self.folder = folder
        self.org_name = org
        self.country = country
        self.home = folder / "home"
        self.credential = folder / "credential"
        self.log = folder / "log"
        self.admin_key = folder / "admin.key"
        self.admin_passphrase = folder / "admin.passphrase"
        self.program = SPEAND
        self.port = free_port()
        self.process = None
        folder.mkdir()
        self.write("credential", os.urandom(32))
        self.write("admin.passphrase", ADMIN_PASSPHRASE.encode())
        self.environment = dict(os.environ, LC_ALL="C.UTF-8", HOME=str(folder), NO_COLOR="1")
        self.environment.pop("SPEAN_HOME", None)
        # A process that may not be traced cannot look for its own leaks.
        self.environment["ASAN_OPTIONS"] = "detect_leaks=0"

    def write(self, name, data):
        """Write a file beside the home that nobody else may read."""
        path = self.folder / name
        path.write_bytes(data)
        path.chmod(0o600)
        return path

    def address(self):
        return f"127.0.0.1:{self.port}"

    # The command `spean`

    def run(self, *words, stdin=None, timeout=120.0):
        """Run spean for this node and return the Answer, whatever it is."""
        command = [str(SPEAN), *map(str, words), "--home", str(self.home)]
        finished = subprocess.run(command, input=stdin, capture_output=True, text=True,
                                  env=self.environment, timeout=timeout, check=False,
                                  stdin=None if stdin is not None else subprocess.DEVNULL)
        return Answer(command[1:], finished)

    def spean(self, *words, expect=0, **options):
        """Run spean --json, insist on its exit code and return the object that it printed."""
        answer = self.run(*words, "--json", **options)
        if answer.exit != expect:
            raise Failed(f"expected exit {expect}: {answer!r}")
        return answer.json

    def admin(self):
        """The flags by which a command gets at the admin key."""
        return ["--admin-key", self.admin_key, "--admin-passphrase-file", self.admin_passphrase]

    def init(self):
        sheet = self.folder / "sheet"
        answers = self.write("answers", f"recovery.words: @{sheet}\n".encode())
        return self.spean("init", "--org", self.org_name, "--country", self.country, "--credential",
                          self.credential, "--sheet", sheet, "--answers", answers, *self.admin())

    # The local API

    def api(self, method, path, body=None, expect=200):
        """Ask the daemon and return its answer; expect None: (status, answer), whatever it is."""
        connection = UnixConnection(self.home / "spean.sock")
        try:
            data = None if body is None else json.dumps(body)
            headers = {} if body is None else {"Content-Type": "application/json"}
            connection.request(method, path, data, headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        if expect is None:
            return response.status, answer
        if response.status != expect:
            raise Failed(f"{method} {path}: expected {expect}, got {response.status}: {answer}")
        return answer

    def items(self, path):
        """All pages of a list."""
        found = []
        after = ""
        while True:
            page = self.api("GET", path + ("&" if "?" in path else "?") + "limit=1000" + after)
            found += page["items"]
            if page["next"] is None:
                return found
            after = "&after=" + page["next"]

    def status(self):
        return self.api("GET", "/v1/status")

    # The process

    def start(self, *options, unlock=True, wait=True, **popen):
        """Start speand; wait: until its API answers."""
        words = [str(self.program), "--home", str(self.home), "--listen", self.address(), "--advertise",
                 self.address(), *map(str, options)]
        if unlock:
            words += ["--credential", str(self.credential)]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=popen.pop("env", self.environment), **popen)
        if wait:
            wait_for(self.answers, f"{self.org_name} answers")

    def answers(self):
        """Say whether the API answers; a daemon that ended by itself is a failure."""
        if self.process.poll() is not None:
            raise Failed(f"speand ended with {self.process.returncode}:\n{self.log_tail()}")
        try:
            self.api("GET", "/v1/version")
        except (OSError, http.client.HTTPException):
            return False
        return True

    def stop(self, expect=0):
        """End the daemon cleanly; return the seconds that it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(STOP_S)
        self.process = None
        if code != expect:
            raise Failed(f"speand stopped with {code}:\n{self.log_tail()}")
        return time.monotonic() - began

    def end(self):
        """End the daemon however it can be, cleanly where it can: only then are counted lines and
        reports of sanitizers written."""
        self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self):
        """End the daemon as a power failure would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(STOP_S)
        self.process = None

    def log_tail(self):
        """The last lines, or what a sanitizer found."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        for at, line in enumerate(lines):
            if any(word in line for word in SANITIZER_WORDS):
                return "\n".join(lines[at : at + 2 * LOG_TAIL_LINES])
        return "\n".join(lines[-LOG_TAIL_LINES:])

    def complaints(self):
        """Lines of the log that nothing honest causes."""
        bad = ("peer_broke_rule", "fatal", "damaged", "ERROR: ", *SANITIZER_WORDS)
        return [line for line in self.log.read_text(errors="replace").splitlines()
                if any(word in line for word in bad)]

    # What is in its files

    def files(self):
        """Every regular file that the node keeps, the daemon's log with them."""
        return [path for path in [*self.home.rglob("*"), self.log] if path.is_file()]

    def holds(self, data):
        """Say whether these bytes stand in one of its files."""
        return any(data in path.read_bytes() for path in self.files())


class Cluster:
    """Nodes in a scratch folder; use it as a context."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="spean-"))
        self.nodes = []

    def add(self, org, country, init=True):
        node = Node(self.folder / f"n{len(self.nodes)}", org, country)
        self.nodes.append(node)
        if init:
            node.init()
        return node

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        for node in self.nodes:
            if kind is not None:
                print(f"--- {node.org_name}\n{node.log_tail()}", file=sys.stderr)
            if node.process is not None and node.process.poll() is None:
                node.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    # What several tests need

    def invite(self, host, guest):
        """Take guest into the ledger of host: code, digits compared, approval."""
        code = host.write("invitation", host.spean("member", "invite")["code"].encode())
        guest.spean("member", "join", "--file", code, "--wait", "0", *guest.admin(), expect=3)
        waiting = wait_for(lambda: host.api("GET", "/v1/pending")["items"], "a newcomer knocks")
        own = wait_for(lambda: guest.api("GET", "/v1/join")["digits"], "digits at the newcomer")
        if [row["digits"] for row in waiting] != [own]:
            raise Failed(f"the digits differ: {waiting} and {own}")
        host.spean("member", "approve", waiting[0]["org"], "--digits", own, *host.admin())
        wait_for(lambda: guest.api("GET", "/v1/join")["state"] == "member", "membership")

    def form_ledger(self, *nodes, erasure_delay=None):
        """Start these nodes and make one ledger of them, founded by the first."""
        for node in nodes:
            node.start()
        delay = [] if erasure_delay is None else ["--erasure-delay", erasure_delay]
        nodes[0].spean("ledger", "found", "--name", "Mekong Referral Ledger", *delay,
                       *nodes[0].admin())
        for node in nodes[1:]:
            self.invite(nodes[0], node)

    def in_step(self, *nodes):
        """Wait until these nodes hold the same, all of it folded, and return the digest."""
        def equal():
            rows = [node.status() for node in nodes]
            digests = {row["digest"] for row in rows}
            quiet = all(row["folded"] for row in rows)
            return digests.pop() if quiet and len(digests) == 1 else None
        return wait_for(equal, "equal digests")


class ClusterTest(unittest.TestCase):
    """A test with a cluster of its own, gone at its end."""

    def setUp(self):
        self.failed_before = False
        self.cluster = Cluster()
        self.addCleanup(self.leave)

    def leave(self):
        outcome = getattr(self._outcome, "result", None)
        bad = outcome is not None and any(case is self for case, _ in
                                          [*outcome.errors, *outcome.failures])
        kind = Failed if bad or sys.exc_info()[0] else None
        self.cluster.__exit__(kind)

    def refused(self, answer, exit_code, code=None):
        """Insist that spean refused with this exit code, a message and what to do."""
        self.assertEqual(answer.exit, exit_code, answer)
        error = answer.json["error"]
        self.assertTrue(error["message"], answer)
        if code is not None:
            self.assertEqual(error["code"], code, answer)
        return error
