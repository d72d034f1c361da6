"""tests/system/test_crashes.py - nodes that are killed at random points while they write and sync:
what they said was done is there afterwards, the store verifies, and all become equal again.

The seed is printed; SPEAN_SEED repeats a run as far as processes can be repeated.
"""

import http.client
import os
import random
import threading
import time
import unittest

from cluster import ClusterTest, wait_for
from story import NAMES

ROUNDS = 8
KILL_AFTER_S_MAX = 0.6  # Where the seed says; not a time that anything waits for to be done.
WRITERS = 2


class Writer(threading.Thread):
    """Adds agencies at a node until it is told to stop; keeps the ids of those acknowledged."""

    def __init__(self, node, name):
        super().__init__(daemon=True)
        self.node = node
        self.label = name
        self.done = threading.Event()
        self.acknowledged = []

    def run(self):
        count = 0
        while not self.done.is_set():
            count += 1
            names = {"en": f"{self.label} {count}"}
            try:
                answer = self.node.api("POST", "/v1/agencies", {"set": {"names": names}}, None)
            except (OSError, http.client.HTTPException, ValueError):
                self.done.wait(0.05)  # The node is down for the moment.
                continue
            if answer[0] in (200, 201):
                self.acknowledged.append(answer[1]["id"])


class Crashes(ClusterTest):
    def test_killed_nodes_lose_nothing_that_was_acknowledged_and_become_equal(self):
        seed = int(os.environ.get("SPEAN_SEED", random.randrange(1 << 32)))
        print(f"SPEAN_SEED={seed}", flush=True)
        dice = random.Random(seed)
        nodes = [self.cluster.add(*name) for name in NAMES]
        self.cluster.form_ledger(*nodes)
        acknowledged = set()
        for number in range(ROUNDS):
            writers = [Writer(node, f"round {number} {node.country}")
                       for node in dice.sample(nodes, WRITERS)]
            for writer in writers:
                writer.start()
            victims = dice.sample(nodes, dice.randint(1, len(nodes)))
            for victim in victims:
                time.sleep(dice.uniform(0, KILL_AFTER_S_MAX))
                victim.kill()
                if dice.random() < 0.5:
                    victim.start()
            for writer in writers:
                writer.done.set()
                writer.join()
                acknowledged.update(writer.acknowledged)
            for node in nodes:
                if node.process is None:
                    node.start()
        self.assertGreater(len(acknowledged), ROUNDS)
        self.cluster.in_step(*nodes)
        for node in nodes:
            verified = node.spean("verify")
            self.assertTrue(verified["ok"], verified)
            self.assertEqual(node.complaints(), [])
            held = {row["id"] for row in node.items("/v1/agencies")}
            self.assertEqual(acknowledged - held, set(), node.org_name)
        shown = [[node.api("GET", f"/v1/agencies/{record}") for record in sorted(acknowledged)]
                 for node in nodes]
        self.assertEqual(shown[0], shown[1])
        self.assertEqual(shown[0], shown[2])

    def test_a_node_killed_while_it_joins_goes_on_where_it_was(self):
        host, guest = (self.cluster.add(*name) for name in NAMES[:2])
        host.start()
        guest.start()
        host.spean("ledger", "found", "--name", "Mekong Referral Ledger", *host.admin())
        code = host.write("invitation", host.spean("member", "invite")["code"].encode())
        guest.spean("member", "join", "--file", code, "--wait", "0", *guest.admin(), expect=3)
        waiting = wait_for(lambda: host.api("GET", "/v1/pending")["items"], "a newcomer knocks")
        guest.kill()
        host.kill()
        guest.start()
        host.start()
        again = wait_for(lambda: guest.api("GET", "/v1/join")["digits"], "digits once more")
        self.assertEqual(again, waiting[0]["digits"])
        guest.kill()
        host.spean("member", "approve", waiting[0]["org"], "--digits", again, *host.admin())
        guest.start()
        wait_for(lambda: guest.api("GET", "/v1/join")["state"] == "member", "membership")
        self.cluster.in_step(host, guest)


if __name__ == "__main__":
    unittest.main()
