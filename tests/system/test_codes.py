"""tests/system/test_codes.py - what codes mean is data: a new scheme needs no new program.

Phnom Penh founds the ledger and is its steward; Tokyo only reads what it publishes. The codes here
are in no table of the program.
"""

import datetime
import unittest

from cluster import ClusterTest, wait_for
from story import Story

FIELDS = ("ssw:aquaculture_2027", "ssw:driver_2027", "ssw:waste_2027")


class Codes(ClusterTest):
    def setUp(self):
        super().setUp()
        self.story = Story(self.cluster)
        self.phnom_penh, self.hanoi, self.tokyo = self.story.nodes
        self.story.form()

    def publish(self, node, code, *words):
        return node.spean("code", "add", *code, *words, "--publish")

    def test_a_scheme_that_a_steward_publishes_is_used_by_others_at_once(self):
        self.publish(self.phnom_penh, ("scheme", "esd_1"), "--label",
                     "en=Employment for skill development (i)", "--label", "ja=育成就労1号",
                     "--valid-from", "2027-04-01", "--mapping", "HTCDS=visa")
        self.publish(self.phnom_penh, ("scheme", "titp_1"), "--superseded-by", "esd_1",
                     "--label", "km=កម្មសិក្សា")
        for field in FIELDS:
            self.publish(self.phnom_penh, ("ssw_field", field), "--label", f"en={field} work")
        self.publish(self.phnom_penh, ("ssw_field",), "--version", "2027-04", "--label",
                     "en=Fields of work")
        self.cluster.in_step(*self.story.nodes)

        rows = {row["code"]: row for row in self.tokyo.spean("code", "list", "ssw_field")["items"]}
        for field in FIELDS:
            self.assertEqual(rows[field]["standing"], "published")
        self.assertEqual(rows["care"]["standing"], "built_in")
        lists = {row["list"]: row for row in self.tokyo.items("/v1/code-lists")}
        self.assertEqual(lists["ssw_field"]["version"], "2027-04")

        in_force = datetime.datetime.now(datetime.timezone.utc).date() >= datetime.date(2027, 4, 1)
        change = self.tokyo.write("case", b'{"set": {"scheme": "esd_1", "field": "'
                                  + FIELDS[0].encode() + b'"}}')
        case = self.tokyo.spean("case", "add", "--from", change)
        meaning = case["codes"]["scheme"]["esd_1"]
        self.assertEqual(meaning["standing"], "published")
        self.assertEqual(meaning["in_force"], in_force)
        shown = self.tokyo.run("case", "show", case["code"], "--lang", "ja").out
        self.assertIn("esd_1 (育成就労1号)", shown)
        self.assertIn(f"{FIELDS[0]} ({FIELDS[0]} work)", shown)
        self.assertEqual('! scheme: "esd_1" is not in force today' in shown, not in_force)

        change = self.tokyo.write("old", b'{"set": {"scheme": "titp_1"}}')
        old = self.tokyo.spean("case", "add", "--from", change)["codes"]["scheme"]["titp_1"]
        self.assertEqual(old["superseded_by"], "esd_1")
        # The label that was published, and those that the program has always had.
        self.assertEqual(sorted(old["labels"]), ["en", "ja", "km"])

    def test_local_codes_travel_and_wait_to_be_mapped(self):
        self.tokyo.spean("code", "add", "service", "tk:interpreting", "--label",
                         "en=Interpreting on the telephone")
        self.cluster.in_step(*self.story.nodes)
        rows = self.phnom_penh.spean("code", "unmapped")["items"]
        self.assertEqual([(row["code"], row["standing"]) for row in rows],
                         [("tk:interpreting", "local")])
        # Hanoi is no steward, and it is not its code.
        map_it = ("code", "map", "service", "tk:interpreting", "--to")
        self.refused(self.hanoi.run(*map_it, "legal", "--json"), 6, "code_exists")
        self.refused(self.hanoi.run("code", "add", "service", "hn:x", "--publish", "--json"), 4,
                     "not_steward")
        self.refused(self.phnom_penh.run(*map_it, "no_such", "--json"), 2, "unknown_code")
        self.phnom_penh.spean(*map_it, "interpretation")
        self.cluster.in_step(*self.story.nodes)
        self.assertEqual(self.tokyo.spean("code", "unmapped")["items"], [])
        row = [row for row in self.hanoi.items("/v1/codes?list=service")
               if row["code"] == "tk:interpreting"]
        self.assertEqual([one["mapped_to"] for one in row], ["interpretation"])

    def test_imports_read_words_as_members_explain_them(self):
        rows = ("prs_FirstName,prs_Gender,spean_Scheme\r\n"
                "A,\u179f\u17d2\u179a\u17b8,Skill development\r\nB,wanita,esd_9\r\n")
        path = self.tokyo.write("rows.csv", rows.encode())
        told = self.tokyo.spean("case", "import", path, "--dry-run", expect=3)
        self.assertEqual([(row["place"], row["column"]) for row in told["errors"]],
                         [("line 2", "prs_Gender")])
        self.assertIn("spean code add gender", told["errors"][0]["error"])
        self.assertEqual(told["unknown_codes"], {"gender wanita": 1, "scheme esd_9": 1})

        self.publish(self.phnom_penh, ("gender", "female"), "--label",
                     "km=\u179f\u17d2\u179a\u17b8")
        self.publish(self.phnom_penh, ("scheme", "esd_1"), "--label", "en=Skill development")
        self.tokyo.spean("code", "add", "gender", "wanita")
        self.cluster.in_step(*self.story.nodes)
        self.phnom_penh.spean("code", "map", "gender", "wanita", "--to", "female")
        self.cluster.in_step(*self.story.nodes)
        told = self.tokyo.spean("case", "import", path)
        self.assertEqual((told["created"], told["failed"]), (2, 0), told)
        self.assertEqual(told["unknown_codes"], {"scheme esd_9": 1})
        fields = [self.tokyo.api("GET", f"/v1/cases/{row['id']}")["fields"]
                  for row in self.tokyo.items("/v1/cases")]
        self.assertEqual([one["gender"] for one in fields], ["female", "female"])
        self.assertEqual({one["scheme"] for one in fields}, {"esd_1", "esd_9"})
        rows = self.tokyo.spean("code", "unmapped", "--in-use")["items"]
        self.assertEqual([(row["list"], row["code"], row["times"]) for row in rows],
                         [("scheme", "esd_9", 1)])
        self.tokyo.spean("code", "map", "scheme", "esd_9", "--to", "esd")
        self.assertEqual(self.tokyo.spean("code", "unmapped", "--in-use")["items"], [])

    def test_a_code_that_nobody_explains_is_kept_and_shown_as_it_is(self):
        edit = self.tokyo.write("agency", b'{"set": {"names": {"en": "Night Bus"}, '
                                          b'"kind": "tk:night_bus"}}')
        agency = self.tokyo.spean("agency", "add", "--from", edit)["id"]
        self.cluster.in_step(*self.story.nodes)
        seen = wait_for(lambda: self.hanoi.api("GET", f"/v1/agencies/{agency}"), "the agency")
        self.assertEqual(seen["fields"]["kind"], "tk:night_bus")
        self.assertEqual(seen["codes"]["agency_kind"]["tk:night_bus"]["standing"], "unknown")
        shown = self.hanoi.run("agency", "show", agency).out
        self.assertIn('! agency_kind: "tk:night_bus" is in no code list here', shown)
        # Whoever says what it means is heard by the next request, also of records written before.
        self.tokyo.spean("code", "add", "agency_kind", "tk:night_bus", "--label", "en=Bus at night")
        own = self.tokyo.api("GET", f"/v1/agencies/{agency}")
        self.assertEqual(own["codes"]["agency_kind"]["tk:night_bus"]["labels"],
                         {"en": "Bus at night"})


if __name__ == "__main__":
    unittest.main()
