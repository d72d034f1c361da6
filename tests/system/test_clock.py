"""tests/system/test_clock.py - a daemon whose clock is ten years wrong: what it writes travels and is
shown like anybody's, nothing is refused for the time, and people are told that the clocks differ."""

import pathlib
import sys
import time
import unittest

from cluster import SKIPPED, ClusterTest, wait_for
from story import NAMES, SAMPLES

LIBRARY = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
DAYS = 3650
APART = "one of the two clocks is wrong"


class WrongClock(ClusterTest):
    def wrong(self, node, days):
        """The environment in which the daemon of node takes it for so many days later."""
        sanitizer = node.environment["ASAN_OPTIONS"] + ":verify_asan_link_order=0"
        return dict(node.environment, LD_PRELOAD=str(LIBRARY), FAKETIME=f"{days:+d}d",
                    DONT_FAKE_MONOTONIC="1", ASAN_OPTIONS=sanitizer)

    def told(self, node):
        return [row["why"] for row in node.status()["partners"]]

    def goes_on(self, days):
        right, wrong = (self.cluster.add(*name) for name in NAMES[:2])
        self.cluster.form_ledger(right, wrong)
        self.cluster.in_step(right, wrong)
        wrong.stop()
        wrong.start(env=self.wrong(wrong, days))
        wrong.spean("agency", "add", "--name", "en=Written at the wrong time", "--kind", "shelter")
        case = wrong.spean("case", "add", "--from", SAMPLES / "case.json")
        right.spean("agency", "add", "--name", "en=Written at the right time", "--kind", "shelter")
        self.cluster.in_step(right, wrong)
        for node in (right, wrong):
            names = str(node.items("/v1/agencies"))
            self.assertIn("Written at the wrong time", names)
            self.assertIn("Written at the right time", names)
            wait_for(lambda node=node: APART in self.told(node), "status says that clocks differ")
        created = wrong.api("GET", f"/v1/cases/{case['id']}")["created"]
        self.assertGreater(abs(int(created[:4]) - time.gmtime().tm_year), 8, created)
        self.assertEqual(right.status()["todo"]["aside"], 0)

        # The clock is set right: what was written goes on from there.
        wrong.stop()
        wrong.start()
        wrong.spean("case", "edit", case["id"], "--status", "follow_up")
        self.cluster.in_step(right, wrong)
        for node in (right, wrong):
            wait_for(lambda node=node: self.told(node) == [None], "the clocks agree again")
            self.assertTrue(node.spean("verify")["ok"])
            self.assertEqual(node.complaints(), [])

    def test_ten_years_ahead(self):
        self.goes_on(DAYS)

    def test_ten_years_back(self):
        self.goes_on(-DAYS)


if __name__ == "__main__":
    if LIBRARY is None:
        print("skipped: the package faketime is not installed")
        sys.exit(SKIPPED)
    unittest.main()
