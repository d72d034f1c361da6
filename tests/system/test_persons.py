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
        self.node.write("case.json", (SAMPLES / "case.json").read_bytes())
        (self.node.folder / "case.json").chmod(0o644)
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
        for words in (("verify",), ("member", "pending"), ("person", "list"),
                      ("member", "invite"), ("node", "invite"), ("person", "retire", "admin")):
            self.refused(self.as_other(*words), 4, "role")
        self.refused(node.run("person", "retire", "admin", "--json"), 6, "last_admin")
        node.spean("person", "retire", "sokha")
        self.refused(self.as_other("case", "list"), 4, "unknown_person")
        node.spean("person", "add", "dara", "--role", "coordinator", "--user", USER)
        self.assertEqual(self.as_other("verify").exit, 0)
        self.refused(self.as_other("node", "invite"), 4, "role")
        names = {row["name"]: row["retired"] for row in node.spean("person", "list")["items"]}
        self.assertEqual(names, {"admin": False, "sokha": True, "dara": False})


if __name__ == "__main__":
    if os.geteuid() != 0:
        raise SystemExit(SKIPPED)
    unittest.main()
