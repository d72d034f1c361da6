"""tests/system/test_bad_input.py - what people and disks do wrong: one clear error each, with a code
and what to do, and nothing lost."""

import datetime
import json
import resource
import time
import unittest

from cluster import ClusterTest, wait_for
from story import NAMES, sample

FILE_BYTES_MAX = 900_000  # Of any file that the daemon writes, once the disk is "full".
AGENCIES_MAX = 3000


class Joining(ClusterTest):
    def setUp(self):
        super().setUp()
        self.host, self.guest = (self.cluster.add(*name) for name in NAMES[:2])
        self.host.start()
        self.guest.start()
        self.host.spean("ledger", "found", "--name", "Mekong Referral Ledger", *self.host.admin())

    def join(self, code, *flags):
        path = self.guest.write("invitation", code.encode())
        return self.guest.run("member", "join", "--file", path, "--json", *self.guest.admin(),
                              *flags)

    def test_what_is_no_invitation_is_refused_before_anything_is_signed(self):
        code = self.host.spean("member", "invite")["code"]
        for bad in ("", "hello", "SPEAN1:", code[:60],
                    code[:40] + "!" + code[41:],
                    code[:-1], code[:-5], code[:-9] + ("A" if code[-9] != "A" else "B") + code[-8:]):
            self.refused(self.join(bad, "--wait", "0"), 2, "usage")
        newer = code.replace("SPEAN1", "SPEAN2")
        self.refused(self.join(newer, "--wait", "0"), 1, "version")
        self.assertEqual(self.guest.api("GET", "/v1/join")["state"], "none")
        self.assertEqual(len(self.guest.api("GET", "/v1/node")["statement"]), 1)

    def test_an_invitation_that_expired_lets_nobody_in(self):
        answer = self.host.api("POST", "/v1/invitations", {"expires_s": 1})
        code = answer["code"]
        # Nobody knocks before: a newcomer who was in time would wait for approval.
        ends = datetime.datetime.fromisoformat(answer["expires"].replace("Z", "+00:00"))
        wait_for(lambda: time.time() > ends.timestamp(), "the invitation expires")
        self.refused(self.join(code), 6)
        self.assertEqual(self.host.api("GET", "/v1/pending")["items"], [])

    def test_wrong_digits_let_nobody_in_and_a_refused_newcomer_is_told(self):
        code = self.host.spean("member", "invite")["code"]
        self.join(code, "--wait", "0")
        row = wait_for(lambda: self.host.api("GET", "/v1/pending")["items"], "a newcomer")[0]
        wrong = "".join(str((int(digit) + 1) % 10) if digit.isdigit() else digit
                        for digit in row["digits"])
        answer = self.host.run("member", "approve", row["org"], "--digits", wrong, "--json",
                               *self.host.admin())
        self.refused(answer, 9, "digits_differ")
        self.assertEqual(len(self.host.api("GET", "/v1/members")["items"]), 1)
        self.host.spean("member", "refuse", row["org"])
        wait_for(lambda: self.guest.api("GET", "/v1/join")["state"] == "refused", "being refused")
        self.refused(self.guest.run("member", "join", "--json"), 4, "refused")

    def test_an_invitation_serves_one_organisation(self):
        other = self.cluster.add(*NAMES[2])
        other.start()
        code = self.host.spean("member", "invite")["code"]
        self.join(code, "--wait", "0")
        wait_for(lambda: self.host.api("GET", "/v1/pending")["items"], "a newcomer")
        path = other.write("invitation", code.encode())
        other.run("member", "join", "--file", path, "--wait", "0", *other.admin())
        wait_for(lambda: other.api("GET", "/v1/join")["state"] == "expired", "the second is told")
        self.assertEqual(len(self.host.api("GET", "/v1/pending")["items"]), 1)


class Records(ClusterTest):
    def setUp(self):
        super().setUp()
        self.node = self.cluster.add(*NAMES[0])
        self.node.start()
        self.node.spean("ledger", "found", "--name", "Mekong Referral Ledger", *self.node.admin())

    def edit(self, value):
        return self.node.write("edit.json", json.dumps(value).encode())

    def test_a_file_that_is_no_edit_is_refused_with_its_place(self):
        for text in ("", "{", "[]", '{"set": {"email": "a", "email": "b"}}', '{"sit": {}}',
                     '{"set": {"no_such_field": 1}}', '{"set": {"email": 7}}',
                     '{"set": {"kind": "no_such_kind!"}}'):
            path = self.node.write("edit.json", text.encode())
            answer = self.node.run("agency", "add", "--from", path, "--json")
            self.refused(answer, 2)
        own = [row for row in self.node.items("/v1/agencies")]
        self.assertLessEqual(len(own), 1)  # At most the node's own.

    def test_what_is_not_there_and_what_is_not_clear_is_told(self):
        self.refused(self.node.run("agency", "show", "ffffffff", "--json"), 5, "not_found")
        self.refused(self.node.run("referral", "show", "R-2222", "--json"), 5, "not_found")
        self.refused(self.node.run("case", "show", "ffff0000", "--json"), 5, "not_found")
        self.refused(self.node.run("case", "show", "KH-2611-0001-Q", "--json"), 2)  # Mistyped.
        misspelt = self.node.run("agency", "shwo", "ffffffff")
        self.assertEqual(misspelt.exit, 2, misspelt)
        self.assertIn("spean agency show", misspelt.err)

    def test_rows_of_an_import_that_are_wrong_are_named_and_stop_no_other(self):
        rows = sample("agencies-en.json")
        good = len(rows["contents"])
        rows["contents"].insert(1, {"id": "x", "name": 7})
        rows["contents"].append("no organisation")
        path = self.node.write("rows.json", json.dumps(rows).encode())
        answer = self.node.run("agency", "import", path, "--lang", "en", "--json")
        self.assertEqual(answer.exit, 3, answer)
        told = answer.json
        self.assertEqual(told["created"], good, told)
        self.assertGreaterEqual(told["failed"], 2, told)
        self.assertIn("contents[1]", answer.out)
        again = self.node.run("agency", "import", path, "--lang", "en", "--json").json
        self.assertEqual((again["created"], again["changed"]), (0, 0))

    def test_a_file_that_is_no_hsds_is_refused(self):
        for text, exit_code, code in (("", 2, "usage"), ("[1, 2", 2, "usage"),
                                      ("{}", 1, "bad_input"),
                                      ('{"contents": 7}', 1, "bad_input")):
            path = self.node.write("rows.json", text.encode())
            answer = self.node.run("agency", "import", path, "--lang", "en", "--json")
            self.refused(answer, exit_code, code)
        missing = self.node.run("agency", "import", self.node.folder / "none", "--lang", "en",
                                "--json")
        self.refused(missing, 5)

    def test_personal_data_is_not_taken_from_the_command_line(self):
        for words in (("case", "add", "--name", "Dara"),
                      ("referral", "create", "--reason", "because")):
            answer = self.node.run(*words)
            self.assertEqual(answer.exit, 2, answer)
            self.assertNotIn("Dara", answer.out + answer.err)


class Members(ClusterTest):
    def test_what_is_another_organisations_cannot_be_changed(self):
        first, second = (self.cluster.add(*name) for name in NAMES[:2])
        self.cluster.form_ledger(first, second)
        self.cluster.in_step(first, second)
        name = second.org_name
        own = wait_for(lambda: [row["id"] for row in first.items("/v1/agencies")
                                if name in json.dumps(row)], "the partner's own record")[0]
        before = first.api("GET", f"/v1/agencies/{own}")
        answer = first.run("agency", "edit", own, "--email", "mine@example.org", "--json")
        self.refused(answer, 4)
        self.assertEqual(first.api("GET", f"/v1/agencies/{own}"), before)
        second.spean("agency", "edit", own, "--email", "ours@example.org")
        wait_for(lambda: first.api("GET", f"/v1/agencies/{own}")["fields"].get("email") ==
                 "ours@example.org", "the partner's change")


class FullDisk(ClusterTest):
    """A limit on the size of files stands for a disk that is full."""

    def fill(self, node):
        """Add agencies until one is refused; return the refusal and how many went in."""
        for count in range(AGENCIES_MAX):
            text = f"Agency {count} " + "x" * 2000
            status, answer = node.api("POST", "/v1/agencies", {"set": {"names": {"en": text}}},
                                      None)
            if status not in (200, 201):
                return status, answer, count
        return None, None, AGENCIES_MAX

    def limit(self, node, size):
        resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def test_a_full_disk_is_told_and_nothing_that_was_acknowledged_is_lost(self):
        first, second = (self.cluster.add(*name) for name in NAMES[:2])
        self.cluster.form_ledger(first, second)
        data = first.home / "store" / "data.mdb"
        self.limit(first, max(FILE_BYTES_MAX, data.stat().st_size))
        status, answer, count = self.fill(first)
        self.assertIsNotNone(status, "the disk never filled")
        error = answer["error"]
        self.assertEqual(error["code"], "full", answer)
        self.assertTrue(error["hint"] or error["message"], answer)
        self.assertTrue(first.answers())
        held = len(first.items("/v1/agencies"))
        self.assertGreaterEqual(held, count)
        self.limit(first, resource.RLIM_INFINITY)  # Somebody made room.
        first.spean("agency", "add", "--name", "en=Room again", "--kind", "shelter")
        self.cluster.in_step(first, second)
        self.assertEqual(len(second.items("/v1/agencies")), len(first.items("/v1/agencies")))
        self.assertTrue(first.spean("verify")["ok"])
        first.stop()
        first.start()
        self.assertGreaterEqual(len(first.items("/v1/agencies")), held + 1)

    def test_a_partner_whose_disk_is_full_catches_up_when_there_is_room(self):
        first, second = (self.cluster.add(*name) for name in NAMES[:2])
        self.cluster.form_ledger(first, second)
        self.cluster.in_step(first, second)
        self.limit(second, (second.home / "store" / "data.mdb").stat().st_size)
        for count in range(60):
            first.api("POST", "/v1/agencies",
                      {"set": {"names": {"en": f"Agency {count} " + "x" * 4000}}}, None)
        wait_for(lambda: "disk_full" in second.log.read_text(), "the partner says so")
        self.assertTrue(second.answers())
        self.limit(second, resource.RLIM_INFINITY)
        second.stop()  # It would go on by itself when its pause is over.
        second.start()
        self.cluster.in_step(first, second)
        self.assertTrue(second.spean("verify")["ok"])


if __name__ == "__main__":
    unittest.main()
