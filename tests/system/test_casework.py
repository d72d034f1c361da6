"""tests/system/test_casework.py - what a case says of itself: what was paid, and until when it is kept."""

import datetime
import json
import unittest

from cluster import ClusterTest

CASE = b"""{"set": {"status": "closed", "closed_on": "2020-03"}, "append": {
 "costs": [
  {"category": "fee_recruiter", "paid_by": "worker", "assessment": "over_cap", "rule": "Prakas 249",
   "amount": {"amount": 4000000, "currency": "VND", "exact": true}},
  {"category": "deposit", "paid_by": "family", "assessment": "forbidden", "rule": "Circular 21",
   "amount": {"amount": 100050, "currency": "VND", "exact": false}},
  {"category": "travel", "paid_by": "employer",
   "amount": {"amount": 120050, "currency": "USD", "exact": true}},
  {"category": "medical", "paid_by": "employer",
   "amount": {"amount": 4100000, "currency": "KHR", "exact": true}}],
 "employments": [{"from": "2019", "wage_period": "hour", "hours": 160,
  "wage": {"amount": 50000, "currency": "VND", "exact": true}}]}}"""


class Casework(ClusterTest):
    def setUp(self):
        super().setUp()
        self.node = self.cluster.add("Bridge Legal Aid Phnom Penh", "KH")
        self.node.start()
        self.node.spean("ledger", "found", "--name", "Mekong", *self.node.admin())
        self.case = self.node.spean("case", "add", "--from", self.node.write("case", CASE))["code"]

    def test_costs_are_totalled_marked_and_told_in_months_pay(self):
        shown = self.node.run("case", "show", self.case, "--plain").out
        for text in ("! Over the legal cap: Prakas 249", "! Forbidden: Circular 21",
                     "Deposit or bond\tabout VND 100,050", "everything\tUSD 1,200.50",
                     "everything\tKHR 41,000.00", "borne by the worker\tabout VND 4,100,050",
                     "SDG 10.7.1: about 0.51 months' pay of VND 8,000,000"):
            self.assertIn(text, shown)
        edit = self.node.write("wage", b"""{"append": {"employments": [{"from": "2018",
            "wage": {"amount": 5, "currency": "JPY", "exact": true}}]}}""")
        self.node.spean("case", "edit", self.case, "--from", edit)
        shown = self.node.run("case", "show", self.case).out
        self.assertIn("SDG 10.7.1: cannot be told; missing: whether the wage is by the hour", shown)
        costs = self.node.spean("case", "show", self.case)["derived"]["costs"]
        self.assertEqual(costs["missing"], ["wage_period", "same_currency"])

    def test_the_history_tells_who_wrote_what_and_what_was_replaced(self):
        note = "x" * 200 + "\x1b[31m"
        edit = self.node.write("edit", json.dumps({"set": {"status": "active", "narrative": {
            "en": note}}}).encode())
        self.node.spean("case", "edit", self.case, "--from", edit)
        first, second = self.node.spean("case", "history", self.case)["items"]
        self.assertTrue(first["creates"])
        values = [(op["verb"], op["value"]) for item in (first, second)
                  for op in item["operations"] if op["field"] == "status"]
        self.assertEqual(values, [("set", "closed"), ("set", "active")])
        self.assertIn(note, [op["value"].get("en") for op in second["operations"]
                             if op["field"] == "narrative"])
        shown = self.node.run("case", "history", self.case, "--plain").out
        self.assertIn("\tset status: closed\n", shown)
        self.assertIn("\tset status: active\n", shown)
        self.assertIn("Bridge Legal Aid Phnom Penh", shown)
        self.assertIn("xxx...", shown)
        self.assertNotIn("x" * 61, shown)
        self.assertNotIn("\x1b", self.node.run("case", "history", self.case).out)
        self.refused(self.node.run("case", "history", "ffffffffffff", "--json"), 5)

    def due(self):
        codes = [row["code"] for row in self.node.spean("case", "list", "--due")["items"]]
        count = self.node.status()["todo"]["retention_due"]
        self.assertEqual(len(codes), count)
        return codes

    def test_what_is_due_shows_and_a_person_decides(self):
        self.assertEqual(self.due(), [self.case])
        self.assertIn("1 case whose time is up", self.node.run("status").out)
        later = str(datetime.date.today().year + 2)
        self.node.spean("case", "retain", self.case, "--review-on", later)
        self.assertEqual(self.due(), [])
        self.assertIn(f"Kept: look at it again on {later}, delete it by -",
                      self.node.run("case", "show", self.case).out)
        self.refused(self.node.run("case", "retain", self.case, "--json"), 2)
        self.refused(self.node.run("case", "retain", self.case, "--delete-by", "soon", "--json"), 2)
        self.node.spean("case", "retain", self.case, "--by-settings")
        self.assertEqual(self.due(), [self.case])
        self.node.stop()
        self.node.write("home/spean.conf", b"retention_review_days = 0\n")
        self.node.start()
        self.assertEqual(self.due(), [])

    def test_a_closed_case_is_taken_up_again(self):
        self.refused(self.node.run("case", "close", self.case, "--reason", "other", "--json"), 6)
        again = self.node.spean("case", "reopen", self.case)["fields"]
        self.assertEqual((again["status"], again.get("closed_on")), ("active", None))
        self.assertEqual(self.due(), [])
        for words in (("--reason", "goal_reachd"), ("--reason", "other", "--on", "2999")):
            self.refused(self.node.run("case", "close", self.case, *words, "--json"), 2)
        self.node.spean("case", "close", self.case, "--reason", "goal_reached", "--dry-run")
        self.assertEqual(self.node.spean("case", "show", self.case)["fields"]["status"], "active")
        done = self.node.run("case", "close", self.case, "--reason", "goal_reached")
        self.assertEqual(done.exit, 0, done)
        self.assertIn(f"Undo: spean case reopen {self.case}", done.err)
        fields = self.node.spean("case", "show", self.case)["fields"]
        self.assertEqual((fields["status"], fields["closed_on"], fields["closure_reason"]),
                         ("closed", str(datetime.date.today()), "goal_reached"))


if __name__ == "__main__":
    unittest.main()
