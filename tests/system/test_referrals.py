"""tests/system/test_referrals.py - transfers, what must not be kept, emergencies, passing on."""

import unittest

from cluster import ClusterTest, wait_for
from story import MARKER, Story


class Referrals(ClusterTest):
    def setUp(self):
        super().setUp()
        self.story = Story(self.cluster)
        self.phnom_penh, self.hanoi, self.tokyo = self.story.nodes
        self.story.form(erasure_delay="0")

    def bodies(self, node):
        """Every sealed body that both node and the origin keep: what is erased must not be among
        them, byte for byte."""
        found = {}
        for place, row in self.story.entries(node).items():
            if row["tag"] is not None and row["body"] == "held":
                found[place] = self.story.stored(node, place)
        return found

    def test_a_transfer_opens_a_case_there_and_closes_it_here(self):
        story = self.story
        story.prepare("--kind", "transfer")
        story.wait_state(self.tokyo, "sent")
        self.assertEqual(self.tokyo.items("/v1/cases"), [])
        self.it_is_known_to_have_arrived()
        story.accept()
        cases = wait_for(lambda: self.tokyo.items("/v1/cases"), "the case at Tokyo")
        self.assertEqual(len(cases), 1)
        theirs = self.tokyo.spean("case", "show", cases[0]["code"])
        self.assertEqual(theirs["fields"]["transferred_from"], story.referral)
        self.assertEqual(theirs["fields"]["status"], "active")
        ours = self.phnom_penh.spean("case", "show", story.case)
        for field in ("names", "narrative"):
            self.assertEqual(theirs["fields"][field], ours["fields"][field])
        wait_for(lambda: self.phnom_penh.spean("case", "show", story.case)["fields"]["status"]
                 == "closed_referred", "the case is closed at Phnom Penh")
        closed = self.tokyo.run("case", "close", theirs["code"], "--reason", "other", "--json")
        self.assertEqual(closed.exit, 3, closed)  # Phnom Penh still waits for an outcome.
        self.assertEqual([row["id"] for row in closed.json["open_referrals"]], [story.referral])
        self.tokyo.spean("case", "reopen", theirs["code"])
        self.tokyo.stop()
        self.tokyo.start()
        self.cluster.in_step(*story.nodes)
        self.assertEqual(len(self.tokyo.items("/v1/cases")), 1)  # Not another one.

    def it_is_known_to_have_arrived(self):
        """Before anybody at Tokyo took a step: their node said that it holds it."""
        story = self.story

        def arrived():
            trail = {row["event"]: row for row in story.seen(self.phnom_penh)["trail"]}
            return trail.get("arrived")

        row = wait_for(arrived, "Phnom Penh knows that it arrived")
        self.assertEqual((row["proof"], row["by"]), ("direct", story.org(self.tokyo)))
        self.assertEqual(self.tokyo.status()["todo"]["unread"], 1)
        page = self.tokyo.run("referral", "show", story.referral, "--print")
        self.assertEqual(page.exit, 0, page)
        self.assertIn("Not on this page", page.out)
        self.assertLessEqual(len(page.out.splitlines()), 60)

    def test_a_declined_referral_leaves_nothing_in_the_targets_files(self):
        story = self.story
        story.prepare("--urgency", "emergency")
        story.wait_state(self.tokyo, "sent")
        wait_for(lambda: story.payload(self.tokyo), "an emergency's details come at once")
        shared = self.bodies(self.tokyo)
        for body in shared.values():
            self.assertTrue(self.tokyo.holds(body))
        story.step(self.tokyo, "decline", "--reason", "no_capacity")
        seen = story.wait_state(self.phnom_penh, "declined")
        receipts = wait_for(lambda: story.seen(self.phnom_penh)["fields"].get("purge_receipts"),
                            "a receipt of Tokyo")
        self.assertEqual([row["item"]["parts"] for row in receipts], [[2, 3]], seen)
        self.assertEqual(receipts[0]["item"]["by_org"], self.tokyo.status()["org"])
        self.assertEqual(story.payload(self.tokyo), {})
        self.assertNotEqual(story.payload(self.phnom_penh), {})  # The origin keeps its own.
        kept = self.bodies(self.tokyo)
        gone = {place: body for place, body in shared.items() if place not in kept}
        self.assertGreaterEqual(len(gone), 4)  # Two parts: a change and a grant of each.
        verified = self.tokyo.spean("verify")
        self.assertTrue(verified["ok"], verified)
        self.tokyo.stop()
        for place, body in gone.items():
            self.assertFalse(self.tokyo.holds(body), place)
            self.assertTrue(self.phnom_penh.holds(body), place)
        self.assertFalse(self.tokyo.holds(MARKER.encode()))
        self.nothing_comes_back(gone)

    def nothing_comes_back(self, gone):
        """What was destroyed is not fetched again, from nobody and after no restart."""
        self.tokyo.start()
        self.story.step(self.phnom_penh, "close", "--client-informed", "yes", "--next-step", "none")
        self.story.wait_state(self.tokyo, "closed")
        self.cluster.in_step(*self.story.nodes)
        for place, body in gone.items():
            self.assertIsNone(self.story.stored(self.tokyo, place))
            self.assertFalse(self.tokyo.holds(body), place)
        self.assertEqual(self.tokyo.complaints(), [])

    def test_a_withdrawn_consent_is_receipted_by_who_had_accepted(self):
        story = self.story
        story.prepare()
        story.wait_state(self.tokyo, "sent")
        story.accept()
        wait_for(lambda: story.payload(self.tokyo), "the payload at Tokyo")
        self.phnom_penh.spean("consent", "withdraw", story.consent, "--channel", "phone", "--yes")
        story.wait_state(self.tokyo, "consent_withdrawn")
        receipts = wait_for(lambda: story.seen(self.phnom_penh)["fields"].get("purge_receipts"),
                            "a receipt of Tokyo")
        self.assertEqual([row["item"]["parts"] for row in receipts], [[2, 3]])
        self.assertEqual(story.payload(self.tokyo), {})

    def test_what_is_passed_on_is_reached_by_the_withdrawal(self):
        story = self.story
        story.prepare(recipients=[self.tokyo, self.hanoi])
        story.wait_state(self.tokyo, "sent")
        story.accept()
        wait_for(lambda: story.payload(self.tokyo), "the payload at Tokyo")
        passed = story.step(self.tokyo, "redirect", "--to", story.org(self.hanoi), "--respond-by",
                            "72h", "--reason", "better_placed")
        child = next(row["child"] for row in passed["steps"] if row["step"] == "redirect")
        story.wait_state(self.phnom_penh, "redirected")

        def at_hanoi(state):
            answer = self.hanoi.run("referral", "show", child, "--json")
            return answer.json if answer.exit == 0 and answer.json["state"] == state else None

        seen = wait_for(lambda: at_hanoi("sent"), "the child at Hanoi")
        self.assertEqual(seen["fixed"]["parent"], story.referral)
        self.assertNotIn("names", seen["fields"])
        self.hanoi.spean("referral", "accept", child, "--assigned", "w1", "--first-contact-by",
                         "2035-11-25")
        wait_for(lambda: "names" in at_hanoi("accepted")["fields"], "the details at Hanoi")
        self.phnom_penh.spean("consent", "withdraw", story.consent, "--channel", "phone", "--yes")
        seen = wait_for(lambda: at_hanoi("consent_withdrawn"), "the withdrawal at Hanoi")
        receipts = wait_for(lambda: (at_hanoi("consent_withdrawn") or {}).get("fields", {})
                            .get("purge_receipts", []) if len(at_hanoi("consent_withdrawn")
                            ["fields"].get("purge_receipts", [])) == 2 else None,
                            "receipts of Hanoi, who took it, and Tokyo, who passed it on")
        self.assertEqual({row["by"] for row in receipts},
                         {story.org(self.hanoi), story.org(self.tokyo)})
        self.assertNotIn("names", at_hanoi("consent_withdrawn")["fields"])
        for node in story.nodes:
            self.assertEqual(node.complaints(), [])

    def passed_on(self, holder, referral, to):
        """Let holder accept a referral and pass it on; return the child, once it is there."""
        org = to.status()["org"]
        wait_for(lambda: holder.run("referral", "accept", referral, "--assigned", "w1",
                                    "--first-contact-by", "2035-11-25").exit == 0, "accepted")
        wait_for(lambda: "names" in self.shown(holder, referral)["fields"], "the details")
        passed = holder.spean("referral", "redirect", referral, "--to", org, "--respond-by", "72h")
        child = next(row["child"] for row in passed["steps"] if row["step"] == "redirect")
        wait_for(lambda: self.shown(to, child), "the child")
        return child

    def shown(self, node, referral):
        answer = node.run("referral", "show", referral, "--json")
        return answer.json if answer.exit == 0 else None

    def withdrawn(self, node, referral):
        return "consent_withdrawn" in self.shown(node, referral)["flags"]

    def test_what_the_last_in_a_chain_is_told_reaches_the_first_through_who_was_away(self):
        story = self.story
        jakarta = self.cluster.add("Jakarta Help", "ID")
        jakarta.start()
        self.cluster.invite(self.phnom_penh, jakarta)
        self.cluster.in_step(*story.nodes, jakarta)
        story.orgs[jakarta] = jakarta.status()["org"]
        story.prepare(recipients=[self.tokyo, self.hanoi, jakarta])
        story.wait_state(self.tokyo, "sent")
        child = self.passed_on(self.tokyo, story.referral, self.hanoi)
        grandchild = self.passed_on(self.hanoi, child, jakarta)
        jakarta.spean("referral", "accept", grandchild, "--assigned", "w1", "--first-contact-by",
                      "2035-11-25")
        wait_for(lambda: "names" in self.shown(jakarta, grandchild)["fields"], "the details")
        self.tokyo.stop()
        refused = jakarta.run("consent", "withdraw", story.consent, "--channel", "phone", "--yes",
                              "--json")
        self.refused(refused, 5, "not_found")  # The consent's record is with Phnom Penh alone.
        jakarta.spean("consent", "withdraw", grandchild, "--channel", "phone", "--yes")
        wait_for(lambda: self.withdrawn(self.hanoi, child), "Hanoi hears of it")
        self.cluster.in_step(self.phnom_penh, self.hanoi, jakarta)
        self.assertFalse(self.withdrawn(self.phnom_penh, story.referral))  # Tokyo passes it up.
        self.tokyo.start()
        wait_for(lambda: self.withdrawn(self.phnom_penh, story.referral), "Phnom Penh hears of it")
        given = self.phnom_penh.spean("consent", "show", story.consent)["fields"]["withdrawn"]
        self.assertEqual(given["by_org"], story.orgs[jakarta])
        held = ((self.tokyo, story.referral), (self.hanoi, child), (jakarta, grandchild))
        for node, referral in held:
            wait_for(lambda n=node, r=referral: self.shown(n, r)["fields"].get("purge_receipts"),
                     f"a receipt of {node.org_name}")
            self.assertNotIn("names", self.shown(node, referral)["fields"])
            self.assertEqual(node.complaints(), [])

    def test_what_the_consent_does_not_name_is_not_passed_on(self):
        story = self.story
        story.prepare()
        story.wait_state(self.tokyo, "sent")
        story.accept()
        answer = self.tokyo.run("referral", "redirect", story.referral, "--to",
                                story.org(self.hanoi), "--respond-by", "72h", "--json")
        self.refused(answer, 6, "onward")
        self.assertEqual(self.hanoi.items("/v1/referrals"), [])


if __name__ == "__main__":
    unittest.main()
