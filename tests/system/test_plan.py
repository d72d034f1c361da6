"""tests/system/test_plan.py - what a sync would do, told by what partners said last, also while they
are gone; and nothing is done by asking."""

import unittest

from cluster import ClusterTest, wait_for

AGENCIES = 12


class Plan(ClusterTest):
    def plan(self, node, of):
        org = of.status()["org"]
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
        self.assertIn(f"would send {written} of ours, about", text)
        self.assertIn("not connected", text)

        second.start()
        self.cluster.in_step(first, second)
        wait_for(lambda: self.has_all(first, second), "and then it has all")


if __name__ == "__main__":
    unittest.main()
