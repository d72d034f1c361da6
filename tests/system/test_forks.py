"""tests/system/test_forks.py - an organisation goes on from an old copy of its node's folder, and
writes numbers anew that a partner holds already. Far as the fork lies behind what both hold alike,
each finds it, keeps what it has, and everything else goes on."""

import shutil
import unittest

from cluster import ClusterTest, wait_for
from story import NAMES

ALIKE = 60  # So many entries take several of the short runs that a new link asks for.
LOST = 150
ANEW = 40


class Forks(ClusterTest):
    def write(self, node, what, count):
        for number in range(count):
            node.api("POST", "/v1/agencies", {"set": {"names": {"en": f"{what} {number}"}}})

    def standing(self, node, org):
        return {row["standing"] for row in node.items("/v1/logs") if row["org"] == org}

    def test_a_copy_that_wrote_on_is_found_out_by_both_sides(self):
        copied, partner = (self.cluster.add(*name) for name in NAMES[:2])
        self.cluster.form_ledger(copied, partner)
        org = copied.status()["org"]
        self.write(copied, "Alike", ALIKE)
        self.cluster.in_step(copied, partner)
        copied.stop()
        shutil.copytree(copied.home, copied.folder / "copy")
        copied.start()
        self.write(copied, "Lost", LOST)
        self.cluster.in_step(copied, partner)
        copied.stop()
        partner.stop()
        shutil.rmtree(copied.home)
        (copied.folder / "copy").rename(copied.home)
        copied.start()
        self.write(copied, "Anew", ANEW)

        partner.start()
        for node in (copied, partner):
            wait_for(lambda node=node: "disputed" in self.standing(node, org),
                     f"{node.org_name} knows that the log forked")
        held = str(partner.items("/v1/agencies"))
        self.assertIn(f"Lost {LOST - 1}", held)  # Each keeps the chain that it has.
        self.assertNotIn("Anew 0", held)
        self.write(partner, "Beside it", 1)  # Other logs go on.
        wait_for(lambda: "Beside it 0" in str(copied.items("/v1/agencies")), "other logs go on")
        for node in (copied, partner):
            self.assertNotIn("peer_broke_rule", node.log.read_text())


if __name__ == "__main__":
    unittest.main()
