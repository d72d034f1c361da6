"""tests/system/test_persons.py - several users of one machine at one node, each with a role.

Another user than the one who set the node up is needed: skipped where the test may not change it.
"""

import grp
import os
import pwd
import shutil
import subprocess
import unittest

from cluster import SKIPPED, SPEAN, Answer, ClusterTest, UnixConnection, wait_for
from story import SAMPLES

USER = "nobody"


# What is a coordinator's, and what an admin's: docs/API.md.
COORDINATORS = (("verify",), ("member", "pending"), ("person", "list"), ("export", "--out", "OUT"),
                ("case", "export", "--out", "OUT"), ("agency", "export", "--out", "OUT"),
                ("agency", "import", "AGENCIES", "--lang", "en"),
                ("case", "retain", "CASE", "--review-on", "2035"), ("sync", "pause"),
                ("sync", "resume"))
ADMINS = (("member", "invite"), ("member", "refuse", "abcd"), ("node", "invite"),
          ("node", "rename", "NODE", "x"), ("log", "pause", "LOG"), ("log", "resume", "LOG"),
          ("person", "add", "x", "--role", "case_worker", "--user", "root"),
          ("person", "retire", "admin"))


def other():
    return pwd.getpwnam(USER)


class Persons(ClusterTest):
    def setUp(self):
        super().setUp()
        folder = self.cluster.folder
        folder.chmod(0o711)
        self.node = self.cluster.add("Bridge Legal Aid Phnom Penh", "KH")
        self.node.folder.chmod(0o711)
        self.group = grp.getgrgid(other().pw_gid).gr_name
        os.chown(self.node.home, -1, other().pw_gid)
        self.node.home.chmod(0o710)
        for name, sample in (("case.json", "case.json"), ("agencies.json", "agencies-en.json")):
            self.node.write(name, (SAMPLES / sample).read_bytes()).chmod(0o644)
        self.out = folder / "out"
        self.out.mkdir()
        self.out.chmod(0o777)
        self.tool = folder / "spean"
        shutil.copy(SPEAN, self.tool)
        self.tool.chmod(0o755)
        (self.node.home / "spean.conf").write_text(f"socket_group = {self.group}\n")

    def as_other(self, *words):
        """Run spean as another user of this machine."""
        command = [str(self.tool), *map(str, words), "--home", str(self.node.home), "--json"]
        user = other()
        finished = subprocess.run(
            command, capture_output=True, text=True, env=dict(self.node.environment, HOME="/"),
            stdin=subprocess.DEVNULL, user=user.pw_uid, group=user.pw_gid, extra_groups=[],
            check=False, timeout=60)
        return Answer(command[1:], finished)

    def exported(self):
        """Every case with who wrote what, as text."""
        connection = UnixConnection(self.node.home / "spean.sock")
        try:
            connection.request("GET", "/v1/export?type=case")
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def act(self, words, case):
        """Run words as the other user, with what they stand for put in."""
        own = self.node.status()
        names = {"CASE": case, "NODE": own["node"], "LOG": self.node.items("/v1/logs")[0]["id"],
                 "OUT": self.out / "-".join(words[:2]),
                 "AGENCIES": self.node.folder / "agencies.json"}
        return self.as_other(*(names.get(word, word) for word in words))

    def refused_for_their_role(self, acts, case):
        for words in acts:
            self.refused(self.act(words, case), 4, "role")

    def test_each_person_may_do_what_its_role_says_and_signs_with_its_pseudonym(self):
        node = self.node
        self.cluster.form_ledger(node)
        self.refused(self.as_other("case", "list"), 4, "unknown_person")
        node.spean("person", "add", "sokha", "--role", "case_worker", "--user", USER)
        self.refused(node.run("person", "add", "sokha", "--role", "admin", "--user", "4242",
                              "--json"), 6)
        case = self.as_other("case", "add", "--from", node.folder / "case.json")
        self.assertEqual(case.exit, 0, case)
        wait_for(lambda: node.run("case", "show", case.json["code"], "--json").exit == 0, "a case")
        self.assertIn('"actor":"sokha"', self.exported().replace(" ", ""))
        self.refused_for_their_role(COORDINATORS + ADMINS, case.json["code"])
        written = self.as_other("case", "history", case.json["code"]).json["items"]
        self.assertEqual([row["actor"] for row in written], ["sokha"])
        self.refused(node.run("person", "retire", "admin", "--json"), 6, "last_admin")
        node.spean("person", "retire", "sokha")
        self.refused(self.as_other("case", "list"), 4, "unknown_person")
        self.refused(self.as_other("case", "history", case.json["code"]), 4, "unknown_person")
        node.spean("person", "add", "dara", "--role", "coordinator", "--user", USER)
        self.assertEqual(self.as_other("verify").exit, 0)
        self.refused_for_their_role(ADMINS, case.json["code"])
        for words in COORDINATORS:
            self.assertEqual(self.act(words, case.json["code"]).exit, 0, words)
        names = {row["name"]: row["retired"] for row in node.spean("person", "list")["items"]}
        self.assertEqual(names, {"admin": False, "sokha": True, "dara": False})


if __name__ == "__main__":
    if os.geteuid() != 0:
        raise SystemExit(SKIPPED)
    unittest.main()
