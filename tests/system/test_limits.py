"""tests/system/test_limits.py - a member that floods is paused and named, and everybody else goes on."""

import unittest

from cluster import ClusterTest, wait_for

TEXT_BYTES = 28000
FLOOD_BYTES = 1 << 20
AGENCIES = FLOOD_BYTES // TEXT_BYTES + 4


class Flood(ClusterTest):
    def setUp(self):
        super().setUp()
        self.flooder = self.cluster.add("Flood", "KH")
        self.victim = self.cluster.add("Victim", "VN")
        self.other = self.cluster.add("Other", "JP")
        (self.victim.home / "spean.conf").write_text("log_quota_mib = 1\n")
        self.cluster.form_ledger(self.flooder, self.victim, self.other)
        self.cluster.in_step(self.flooder, self.victim, self.other)

    def write(self, node, count, size):
        for _ in range(count):
            node.api("POST", "/v1/agencies", {"set": {"names": {"en": "Somebody"},
                                                      "description": {"en": "x" * size}}})

    def log(self, node, of):
        org = of.status()["org"]
        return next(log for log in node.items("/v1/logs") if log["org"] == org)

    def problems(self, node):
        return [text for text in node.status()["health"]["problems"] if "paused" in text]

    def test_a_flooding_member_is_paused_and_named_and_others_go_on(self):
        self.write(self.flooder, AGENCIES, TEXT_BYTES)
        wait_for(lambda: self.log(self.victim, self.flooder)["standing"] == "paused",
                 "the flood is stopped")
        problem = self.problems(self.victim)
        self.assertEqual(len(problem), 1)
        self.assertIn("spean log resume", problem[0])
        self.assertEqual(self.victim.run("status").exit, 3)
        self.assertIn("paused", self.victim.run("log", "list").out)
        self.cluster.in_step(self.flooder, self.other)  # Who has room takes all of it.

        height = self.log(self.victim, self.flooder)["height"]
        self.write(self.flooder, 3, 10)
        self.write(self.victim, 1, 10)
        self.write(self.other, 1, 10)
        heads = {node: self.log(node, node)["height"] for node in (self.victim, self.other)}
        for one, two in ((self.victim, self.other), (self.other, self.victim)):
            wait_for(lambda: self.log(one, two)["height"] == heads[two], "others go on")
        wait_for(lambda: self.log(self.flooder, self.victim)["height"] == heads[self.victim],
                 "and so does what the flooder reads")
        self.assertEqual(self.log(self.victim, self.flooder)["height"], height)

        self.victim.stop()
        self.victim.start()
        wait_for(lambda: self.victim.status()["partners"][0]["state"] == "connected", "a session")
        self.assertEqual(self.log(self.victim, self.flooder)["height"], height)
        self.assertEqual(len(self.problems(self.victim)), 1)

        log = self.log(self.victim, self.flooder)["id"]
        self.assertFalse(self.victim.spean("log", "resume", log[:12])["paused"])
        self.cluster.in_step(self.flooder, self.victim, self.other)
        self.assertEqual(self.problems(self.victim), [])
        for node in (self.flooder, self.victim, self.other):
            self.assertEqual(node.complaints(), [])

    def test_a_log_is_paused_and_resumed_by_hand(self):
        log = self.log(self.victim, self.flooder)["id"]
        self.assertTrue(self.victim.spean("log", "pause", log)["paused"])
        self.assertTrue(self.victim.spean("log", "pause", log)["paused"])
        height = self.log(self.victim, self.flooder)["height"]
        self.write(self.flooder, 2, 10)
        self.cluster.in_step(self.flooder, self.other)
        self.assertEqual(self.log(self.victim, self.flooder)["height"], height)
        self.assertTrue(self.victim.spean("verify")["ok"])
        self.victim.spean("log", "resume", log)
        self.cluster.in_step(self.flooder, self.victim, self.other)

    def test_what_cannot_be_paused_is_refused(self):
        own = self.log(self.victim, self.victim)["id"]
        self.refused(self.victim.run("log", "pause", own, "--json"), 6)
        self.refused(self.victim.run("log", "pause", "ffffffffff", "--json"), 5)
        self.refused(self.victim.run("log", "resume", "ff", "--json"), 2)


class Metered(ClusterTest):
    """A day's cap, and pausing all of it."""

    def setUp(self):
        super().setUp()
        self.writer = self.cluster.add("Writer", "KH")
        self.metered = self.cluster.add("Metered", "VN")
        self.cluster.form_ledger(self.writer, self.metered)
        self.cluster.in_step(self.writer, self.metered)

    def write(self, node, size=10):
        node.api("POST", "/v1/agencies", {"set": {"names": {"en": "Somebody"},
                                                  "description": {"en": "x" * size}}})

    def digest(self, node):
        return node.status()["digest"]

    def test_at_the_cap_backlog_waits_and_what_is_written_goes_on(self):
        self.metered.stop()
        for _ in range(4):
            self.write(self.writer, TEXT_BYTES)
        config = self.metered.home / "spean.conf"
        config.write_text("day_cap_bytes = 1000\n")  # Forming the ledger took more.
        self.metered.start()
        wait_for(lambda: self.metered.status()["sync"]["saving"], "the cap is reached")
        status = self.metered.status()
        self.assertGreaterEqual(status["sync"]["bytes_today"], 1000)
        self.assertEqual(status["sync"]["cap"], 1000)
        self.assertFalse(status["health"]["ok"])
        shown = self.metered.run("status")
        self.assertEqual(shown.exit, 3)
        self.assertIn("of 1,000 bytes today", shown.out)
        self.metered.run("sync", "now", "--wait", "3")
        before = self.heights(self.metered)
        self.write(self.metered)
        wait_for(lambda: self.heights(self.writer)[self.own(self.metered)] ==
                 self.heights(self.metered)[self.own(self.metered)], "what is written goes out")
        self.assertEqual(self.heights(self.metered)[self.own(self.writer)],
                         before[self.own(self.writer)])
        self.assertLess(before[self.own(self.writer)],
                        self.heights(self.writer)[self.own(self.writer)])
        self.metered.stop()
        config.write_text("day_cap_bytes = 100000000\n")
        self.metered.start()
        self.cluster.in_step(self.writer, self.metered)
        self.assertFalse(self.metered.status()["sync"]["saving"])
        self.assertGreater(self.metered.status()["sync"]["bytes_today"], 1000)

    def own(self, node):
        return next(log["id"] for log in node.items("/v1/logs") if log["self"])

    def heights(self, node):
        return {log["id"]: log["height"] for log in node.items("/v1/logs")}

    def test_nothing_goes_out_or_comes_in_while_sync_is_paused(self):
        self.assertTrue(self.metered.spean("sync", "pause")["paused"])
        wait_for(lambda: all(row["state"] == "offline"
                             for row in self.metered.status()["partners"]), "nobody is connected")
        self.write(self.writer)
        self.write(self.metered)
        self.refused(self.metered.run("sync", "now", "--json"), 6)
        self.metered.stop()
        self.metered.start()  # It outlives a restart.
        self.assertTrue(self.metered.status()["sync"]["paused"])
        self.writer.run("sync", "now", "--wait", "3")
        self.assertNotEqual(self.digest(self.writer), self.digest(self.metered))
        self.assertIn("sync resume", self.metered.run("status").out)
        self.assertFalse(self.metered.spean("sync", "resume")["paused"])
        self.writer.run("sync", "now")
        self.cluster.in_step(self.writer, self.metered)
        self.assertEqual(self.metered.spean("sync", "resume")["paused"], False)


if __name__ == "__main__":
    unittest.main()
