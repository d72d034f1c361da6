"""tests/system/test_versions.py - nodes of two versions in one ledger, and neither loses anything.

Phnom Penh and Jakarta run speand_next, whose schema knows more (tests/next/overlay.py); Hanoi and
Tokyo run the program as it is. What the newer one writes is kept, merged, shown by its number and
passed on by the older ones, and every state hash is the same everywhere.
"""

import unittest

from cluster import BUILD, ClusterTest, wait_for
from story import Story

NEXT = (BUILD / "tests" / "next" / "speand_next").resolve()
FIELDS = {"night_service": "#900", "vouched_by": "#901", "night_notes": "#902"}


class Versions(ClusterTest):
    def setUp(self):
        super().setUp()
        self.story = Story(self.cluster)
        self.new, self.old, self.tokyo = self.story.nodes
        self.newcomer = self.cluster.add("Jakarta Relay", "ID")
        self.new.program = self.newcomer.program = NEXT
        self.story.form()
        self.newcomer.start()
        self.cluster.invite(self.new, self.newcomer)
        self.all = (*self.story.nodes, self.newcomer)
        self.cluster.in_step(*self.all)

    def agency(self, node, agency):
        return node.api("GET", f"/v1/agencies/{agency}")

    def hashes(self, path, *nodes):
        """Insist that a record has one state hash at all of these nodes."""
        found = [node.api("GET", path)["state_hash"] for node in nodes]
        self.assertEqual(found[1:], found[:-1], path)
        self.assertTrue(found[0])

    def exported(self, node, record):
        rows = node.items("/v1/export?type=%23900")
        return next(row for row in rows if row["id"] == record)

    def test_unknown_fields_merge_with_what_an_older_node_writes_meanwhile(self):
        agency = self.old.spean("agency", "add", "--name", "en=Night Desk", "--phone",
                                "+85512000001")["id"]
        path = f"/v1/agencies/{agency}"
        self.cluster.in_step(*self.all)
        for node in self.all:
            node.api("POST", "/v1/sync/pause")
        self.new.api("PATCH", path, {
            "set": {"night_service": "bus", "email": "new@example.org"},
            "add": {"vouched_by": ["Anna", "Dara"],
                    "phones": [{"number": "+85512000002", "signal_app": True}]},
            "append": {"night_notes": [{"text": {"en": "Knock twice."}}]}})
        self.newcomer.api("PATCH", path, {"set": {"night_service": "van"},
                                          "add": {"vouched_by": ["Anna"]}})
        self.old.api("PATCH", path, {"set": {"email": "old@example.org", "website": "https://o.example"},
                                     "add": {"languages": ["km"]}})
        for node in self.all:
            node.api("POST", "/v1/sync/resume")
        self.cluster.in_step(*self.all)
        self.hashes(path, *self.all)

        seen, known = self.agency(self.old, agency), self.agency(self.new, agency)
        for name, number in FIELDS.items():
            self.assertNotIn(name, seen["fields"])
            self.assertNotIn(number, known["fields"])
        self.assertEqual(seen["fields"]["#901"], ["Anna", "Dara"])
        self.assertEqual(known["fields"]["vouched_by"], ["Anna", "Dara"])
        self.assertEqual(seen["fields"]["#902"][0]["item"], {"#1": {"en": "Knock twice."}})
        self.assertIn({"number": "+85512000002", "#5": True}, seen["fields"]["phones"])
        self.assertIn({"number": "+85512000002", "signal_app": True}, known["fields"]["phones"])
        self.assertEqual(seen["fields"]["languages"], ["km"])
        # Two newer nodes disagree: the older one sees that too, by the number.
        self.assertEqual(sorted(seen["conflicts"]), ["#900", "email"])
        self.assertEqual({row["value"] for row in seen["conflicts"]["#900"]}, {"bus", "van"})
        self.assertEqual(sorted(known["conflicts"]), ["email", "night_service"])
        meaning = known["codes"]["night_service"]
        self.assertEqual(meaning["bus"]["standing"], "built_in")
        self.assertEqual(meaning["van"]["standing"], "unknown")

        # The older node goes on writing the record; nothing that it does not know is lost.
        self.old.spean("agency", "edit", agency, "--email", "both@example.org")
        self.cluster.in_step(*self.all)
        self.hashes(path, *self.all)
        self.assertEqual(self.agency(self.new, agency)["fields"]["vouched_by"], ["Anna", "Dara"])
        self.assertIn("#900", self.old.run("agency", "show", agency).out)
        for node in self.all:
            self.assertTrue(node.spean("verify")["ok"])

    def test_a_record_of_an_unknown_type_is_passed_on_by_an_older_node(self):
        self.newcomer.stop()
        self.tokyo.stop()
        made = self.new.api("POST", "/v1/hotlines", {
            "set": {"names": {"en": "Sea Line"}}, "add": {"languages": ["id", "vi"]},
            "append": {"calls": [{"number": "+6221000000", "signal_app": True}]}})
        self.cluster.in_step(self.new, self.old)
        seen = self.exported(self.old, made["id"])
        self.assertEqual(seen["type"], "#900")
        self.assertEqual(seen["state_hash"], made["state_hash"])
        self.assertEqual(seen["fields"]["#16"], {"en": "Sea Line"})
        self.assertEqual(seen["fields"]["#18"][0]["item"], {"#1": "+6221000000", "#5": True})
        self.assertEqual(self.old.api("GET", "/v1/export?type=%2399")["items"], [])
        status, _ = self.old.api("GET", "/v1/export?type=%231", expect=None)
        self.assertEqual(status, 400) # That one it knows.

        # Jakarta, and Tokyo, can have it from Hanoi alone.
        self.new.stop()
        self.newcomer.start()
        self.tokyo.start()
        self.cluster.in_step(self.old, self.tokyo, self.newcomer)
        path = f"/v1/hotlines/{made['id']}"
        got = self.newcomer.api("GET", path)
        self.assertEqual(got["fields"]["names"], {"en": "Sea Line"})
        self.assertEqual(got["state_hash"], made["state_hash"])
        self.assertEqual(self.exported(self.tokyo, made["id"])["state_hash"], made["state_hash"])
        self.assertTrue(self.old.spean("verify")["ok"])

    def test_an_unknown_field_in_a_sealed_part_reaches_an_older_target(self):
        self.story.prepare()
        self.story.wait_state(self.tokyo, "sent")
        path = f"/v1/referrals/{self.story.referral}"
        self.new.api("POST", path + "/amend", {"set": {"wish": {"en": "A quiet room"}}})
        seen = wait_for(lambda: self.story.seen(self.tokyo)["fields"].get("#1090"), "the field")
        self.assertEqual(seen, {"en": "A quiet room"})
        self.story.step(self.tokyo, "receive")
        self.story.accept()
        self.cluster.in_step(*self.all)
        wait_for(lambda: self.story.payload(self.tokyo), "the payload")
        self.cluster.in_step(*self.all)
        self.hashes(path, self.new, self.tokyo)


if __name__ == "__main__":
    unittest.main()
