"""tests/system/test_terminal.py - a first session typed by somebody who sits at a terminal and answers
what is asked: passphrases, the recovery words, the digits, a case."""

import os
import pty
import re
import select
import time
import unittest

import cluster
from cluster import ClusterTest, Failed, Node, wait_for

SESSION = """
mkdir ~/try
spean init --home ~/try/a --org "Bridge Legal Aid Phnom Penh" --country KH --admin-key ~/try/a.key
speand --home ~/try/a &
spean unlock --home ~/try/a
spean ledger found --home ~/try/a --name "Mekong Referral Ledger" --admin-key ~/try/a.key
spean member invite --home ~/try/a --out ~/try/invitation.txt
spean init --home ~/try/b --org "Tokyo Migrant Support" --country JP --admin-key ~/try/b.key
speand --home ~/try/b &
spean unlock --home ~/try/b
spean member join --home ~/try/b --file ~/try/invitation.txt --wait 5 --admin-key ~/try/b.key
spean member pending --home ~/try/a
spean member approve ORG --home ~/try/a --admin-key ~/try/a.key
spean case add --home ~/try/a --lang en
spean consent record --home ~/try/a --case CASE --purpose refer --to ORG --section narrative
spean referral create --home ~/try/a --case CASE --consent CONSENT --to ORG --service legal \\
    --section narrative --urgency normal --respond-by 72h
spean referral preview REFERRAL --home ~/try/a
spean referral send REFERRAL --home ~/try/a
spean referral inbox --home ~/try/b
spean referral accept REFERRAL --home ~/try/b --assigned worker-1 --first-contact-by 2035-11-25
spean referral show REFERRAL --home ~/try/b
spean status --home ~/try/b
"""
ANSWER_S = 120.0
SECRET = "words of their own"
PLACEHOLDERS = ("ORG", "CASE", "CONSENT", "REFERRAL")
ANSWERS = (
    (r"Type word (\d+)[^\n]*: ?$", lambda person, found: person.words[int(found.group(1)) - 1]),
    (r"eight digits[^\n]*: ?$", lambda person, _: person.digits),
    (r"Name, in[^\n]*: ?$", lambda *_: "តេស្ត"),
    (r"Language[^\n]*: ?$", lambda *_: "km"),
    (r"What happened[^\n]*: ?$", lambda *_: "Fees far above the cap."),
    (r"([Pp]assphrase|admin key|once more)[^\n]*: ?$", lambda *_: SECRET),
)


class Person:
    """Somebody who types a command, reads what comes and answers."""

    def __init__(self, environment):
        self.environment = environment
        self.words = []
        self.digits = ""
        self.transcript = ""

    def read(self, text):
        """Remember what is shown for later."""
        self.words = re.findall(r"\d+ ([a-z]+)", text) if "Recovery sheet" in text else self.words
        found = re.search(r"Digits: +(\d{4} \d{4})", text)
        self.digits = found.group(1) if found else self.digits

    def type(self, line):
        """Run a command at a terminal of its own; return its exit code and what it showed."""
        self.transcript = ""
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvpe("bash", ["bash", "-c", line], self.environment)
        answered = 0
        end = time.monotonic() + ANSWER_S
        while time.monotonic() < end:
            if not select.select([terminal], [], [], 0.1)[0]:
                continue
            try:
                data = os.read(terminal, 65536)
            except OSError:  # The terminal is gone with its last process.
                data = b""
            if not data:
                break
            self.transcript += data.decode(errors="replace").replace("\r\n", "\n")
            self.read(self.transcript)
            tail = self.transcript[answered:]
            for pattern, answer in ANSWERS:
                found = re.search(pattern, tail)
                if found:
                    answered = len(self.transcript)
                    os.write(terminal, answer(self, found).encode() + b"\n")
                    break
        os.close(terminal)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return code, self.transcript


class Session(ClusterTest):
    def test_every_command_works_as_it_is_typed(self):
        home = self.cluster.folder
        path = f"{cluster.SPEAN.parent}:{cluster.SPEAND.parent}:{os.environ['PATH']}"
        person = Person(dict(os.environ, HOME=str(home), PATH=path, LC_ALL="C.UTF-8",
                             TERM="dumb", ASAN_OPTIONS="detect_leaks=0"))
        nodes = {name: Node(home / name, name, "KH") for name in ("a", "b")}
        for name, node in nodes.items():
            node.home = home / "try" / name
            self.cluster.nodes.append(node)
        for line in SESSION.replace("\\\n", "").strip().splitlines():
            for word in PLACEHOLDERS:
                if re.search(rf"\b{word}\b", line):
                    line = re.sub(rf"\b{word}\b", self.value(word, nodes), line)
            if line.endswith("&"):
                nodes["a" if "/a " in line else "b"].start(unlock=False)
                continue
            code, shown = person.type(line)
            wanted = (0, 3) if "join" in line or "status" in line else (0,)
            self.assertIn(code, wanted, f"{line}\n{shown}")
            self.assertNotIn(SECRET, shown)  # It is not echoed.
            if "approve" in line:
                wait_for(lambda: nodes["b"].api("GET", "/v1/join")["state"] == "member", "joining")
                self.cluster.in_step(*nodes.values())
            if " send " in line:
                self.cluster.in_step(*nodes.values())
            if " accept " in line:
                wait_for(lambda: "Fees far above" in self.shown(nodes["b"]), "the details")
        self.assertEqual(nodes["a"].items("/v1/referrals")[0]["state"], "accepted")

    def shown(self, node):
        return node.run("referral", "show", self.value("REFERRAL", {"a": node})).out

    def value(self, word, nodes):
        """What an earlier command printed, as somebody would look it up."""
        first = nodes["a"]
        if word == "ORG":
            pending = first.items("/v1/pending")
            return (pending or [row for row in first.items("/v1/members")
                                if not row["self"]])[0]["org"][:8]
        if word == "CASE":
            return first.items("/v1/cases")[0]["code"]
        if word == "CONSENT":
            return first.items("/v1/consents")[0]["id"][:8]
        rows = first.items("/v1/referrals") or first.items("/v1/referrals?box=drafts")
        if not rows:
            raise Failed("there is no referral")
        return rows[0]["code"]


if __name__ == "__main__":
    unittest.main()
