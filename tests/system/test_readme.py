#!/usr/bin/python3
"""The sessions that documents print, run as they stand but on ports that are free, do what they say.

Which blocks those are is said in tests/house/sessions.py; the blocks of one document are one session.
"""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

import cluster

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "house"))
import sessions  # pylint: disable=wrong-import-position

LIMIT_S = 200

# What a session must have shown at its end, in this order.
SHOWN = {
    "README.md": ("State: accepted", "reception  ", "unpaid_wages", "sokha  ", "relay",
                  "Not on this page", "Health:"),
}


def on_free_ports(text):
    """The same text with each port that it names on loopback replaced by one that is free."""
    for port in sorted(set(re.findall(r"127\.0\.0\.1:(\d+)", text))):
        text = text.replace("127.0.0.1:" + port, "127.0.0.1:%d" % cluster.free_port())
    return text


def end_session(leader):
    """Kill every process of the session that the shell led, and nothing else."""
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and os.getsid(int(entry)) == leader:
                os.kill(int(entry), signal.SIGKILL)
        except ProcessLookupError:
            pass


def run(name, script, folder):
    """Run a session in a folder of its own; return what it showed, and what is wrong or None."""
    programs = [str(path.parent) for path in (cluster.SPEAN, cluster.SPEAND)]
    env = dict(os.environ, PATH=":".join([*programs, os.environ["PATH"]]), HOME=folder,
               ASAN_OPTIONS="detect_leaks=0", LC_ALL="C.UTF-8")
    told = os.path.join(folder, "told")
    # A shell of its own session, so that whatever it started ends with it, also after a failure.
    with open(told, "w", encoding="utf-8") as sink:
        shell = subprocess.Popen(["/bin/bash", "-e", "-m", "-c", on_free_ports(script)], cwd=folder,
                                 env=env, stdin=subprocess.DEVNULL, stdout=sink,
                                 stderr=subprocess.STDOUT, start_new_session=True)
        try:
            shell.wait(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            print(f"the session of {name} does not come to its end")
        finally:
            end_session(shell.pid)
    out = pathlib.Path(told).read_text(encoding="utf-8")
    if shell.returncode != 0:
        return out, f"the session of {name} ended with {shell.returncode}"
    at = 0
    for words in SHOWN.get(name, ()):
        at = out.find(words, at)
        if at < 0:
            return out, f"the session of {name} does not show \"{words}\" where it should"
    return out, None


def main():
    ran = set()
    for name in sessions.documents(ROOT):
        script = sessions.session((ROOT / name).read_text(encoding="utf-8"))
        if not script:
            continue
        ran.add(name)
        with tempfile.TemporaryDirectory(prefix="spean-readme-") as folder:
            out, wrong = run(name, script, folder)
        print(out)
        if wrong is not None:
            sys.exit(wrong)
    if not ran >= set(SHOWN):
        sys.exit(f"no session any more in {sorted(set(SHOWN) - ran)}")


main()
