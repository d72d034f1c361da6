#!/usr/bin/python3
"""The session of README.md, run as it stands but on ports that are free, does what it says."""

import os
import re
import signal
import subprocess
import sys
import tempfile

import cluster

LIMIT_S = 200


def on_free_ports(text):
    """The same text with each port that it names on loopback replaced by one that is free."""
    for port in sorted(set(re.findall(r"127\.0\.0\.1:(\d+)", text))):
        text = text.replace("127.0.0.1:" + port, "127.0.0.1:%d" % cluster.free_port())
    return text


def session(root):
    text = open(os.path.join(root, "README.md"), encoding="utf-8").read()
    found = re.search(r"<!-- tests/system/test_readme\.py .*?-->\n```sh\n(.*?)```", text, re.S)
    if found is None:
        sys.exit("README.md has no session any more")
    return on_free_ports(found.group(1))


def end_session(leader):
    """Kill every process of the session that the shell led, and nothing else."""
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and os.getsid(int(entry)) == leader:
                os.kill(int(entry), signal.SIGKILL)
        except ProcessLookupError:
            pass


def main():
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    build = os.environ["SPEAN_BUILD"]
    spean = os.path.join(build, "tools", "spean")
    speand = os.path.join(build, "node", "speand")
    with tempfile.TemporaryDirectory(prefix="spean-readme-") as folder:
        path = ":".join([os.path.dirname(spean), os.path.dirname(speand), os.environ["PATH"]])
        env = dict(os.environ, PATH=path, ASAN_OPTIONS="detect_leaks=0", HOME=folder)
        # A shell of its own session, so that whatever it started ends with it, also after a failure.
        told = os.path.join(folder, "told")
        with open(told, "w", encoding="utf-8") as sink:
            shell = subprocess.Popen(["/bin/bash", "-e", "-m", "-c", session(root)], cwd=folder,
                                     env=env, stdin=subprocess.DEVNULL, stdout=sink,
                                     stderr=subprocess.STDOUT, start_new_session=True)
            try:
                shell.wait(timeout=LIMIT_S)
            except subprocess.TimeoutExpired:
                print("the session of README.md does not come to its end")
            finally:
                end_session(shell.pid)
        out = open(told, encoding="utf-8").read()
        print(out)
        if shell.returncode != 0:
            sys.exit("the session of README.md ended with %d" % shell.returncode)
        last = out[out.rindex("State:"):]
        if not last.startswith("State: accepted"):
            sys.exit("the referral should be accepted at the end: " + last[:80])


main()
