"""tests/system/test_plan.py - what a sync would do, told by what partners said last, also while they
are gone; and nothing is done by asking."""

import json
import random
import time
import unittest

from cluster import ClusterTest, wait_for

AGENCIES = 12
CASE_BYTES = 8000


class Plan(ClusterTest):
    def setUp(self):
        super().setUp()
        self.orgs = {}

    def plan(self, node, of):
        """What node would do with another, who may be gone by now."""
        if of not in self.orgs:
            self.orgs[of] = of.status()["org"]
        org = self.orgs[of]
        return next(row for row in node.spean("sync", "plan")["partners"] if row["org"] == org)

    def has_all(self, node, of):
        """Whether node knows that the other has all of it; what it told is noted now and then."""
        return (self.plan(node, of)["send"] or {}).get("changes") == 0

    def height(self, node):
        return next(log["height"] for log in node.items("/v1/logs") if log["self"])

    def test_what_waits_for_a_partner_that_is_gone_is_counted(self):
        first, second = (self.cluster.add(*name) for name in (("First", "KH"), ("Second", "VN")))
        self.cluster.form_ledger(first, second)
        self.cluster.in_step(first, second)
        wait_for(lambda: self.has_all(first, second), "the second has all")
        row = self.plan(first, second)
        self.assertTrue(row["connected"])
        self.assertEqual(row["fetch"], {"changes": 0, "bytes": 0})
        org = second.status()["org"]
        before = self.height(first)

        second.stop()
        for number in range(AGENCIES):
            first.spean("agency", "add", "--name", f"en=Agency {number}", "--kind", "shelter")
        written = self.height(first) - before
        self.assertGreaterEqual(written, AGENCIES)
        rows = first.spean("sync", "plan")["partners"]
        row = next(row for row in rows if row["org"] == org)
        self.assertFalse(row["connected"])
        self.assertEqual(row["send"]["changes"], written)
        self.assertGreater(row["send"]["bytes"], 100 * written)
        self.assertIsNotNone(row["last_contact"])
        text = first.run("sync", "plan").out
        self.assertIn(f"would send {written}, about", text)
        self.assertIn("not connected", text)

        second.start()
        self.cluster.in_step(first, second)
        wait_for(lambda: self.has_all(first, second), "and then it has all")

    def test_logs_of_others_count_too_and_only_what_travels_is_weighed(self):
        names = (("First", "KH"), ("Second", "VN"), ("Third", "JP"))
        first, second, third = (self.cluster.add(*name) for name in names)
        self.cluster.form_ledger(first, second, third)
        self.cluster.in_step(first, second, third)
        wait_for(lambda: self.has_all(first, second), "the second has all, also of the third")

        second.stop()
        for number in range(AGENCIES):
            third.spean("agency", "add", "--name", f"en=Agency {number}", "--kind", "shelter")
        self.cluster.in_step(first, third)
        others = self.plan(first, second)["send"]
        self.assertGreaterEqual(others["changes"], AGENCIES)

        # A sealed case is for nobody else: of it go the headers alone.
        text = "".join(random.choice("abcdefghij ") for _ in range(CASE_BYTES))
        edit = json.dumps({"set": {"narrative": {"en": text}}})
        for _ in range(3):
            first.spean("case", "add", "--from", "-", stdin=edit)
        sealed = self.plan(first, second)["send"]
        self.assertGreaterEqual(sealed["changes"], others["changes"] + 3)
        self.assertLess(sealed["bytes"], others["bytes"] + CASE_BYTES)

        second.start()
        self.cluster.in_step(first, second, third)
        wait_for(lambda: self.has_all(first, second) and self.has_all(third, second), "all have all")

    def test_a_partner_was_last_seen_when_it_left(self):
        first, second = (self.cluster.add(*name) for name in (("First", "KH"), ("Second", "VN")))
        self.cluster.form_ledger(first, second)
        self.cluster.in_step(first, second)
        then = first.status()["partners"][0]["last_contact"]
        self.plan(first, second)
        wait_for(lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()) > then, "a second")
        second.spean("agency", "add", "--name", "en=Agency", "--kind", "shelter")
        self.cluster.in_step(first, second)
        second.stop()
        row = wait_for(lambda: next((row for row in first.status()["partners"]
                                     if row["state"] == "offline"), None), "it is gone")
        self.assertGreater(row["last_contact"], then)
        self.assertEqual(self.plan(first, second)["last_contact"], row["last_contact"])


if __name__ == "__main__":
    unittest.main()
