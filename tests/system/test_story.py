"""tests/system/test_story.py - a referral crosses the border, and who learns what of it."""

import unittest

from cluster import ClusterTest, wait_for
from story import LANGUAGES, MARKER, Story

COSTS_TOTAL = 573607
SEALED_KINDS = ("change", "grant")


class Referral(ClusterTest):
    def setUp(self):
        super().setUp()
        self.story = Story(self.cluster)
        self.phnom_penh, self.hanoi, self.tokyo = self.story.nodes
        self.story.form()

    def test_a_referral_travels_to_completed_and_hanoi_learns_nothing(self):
        story = self.story
        self.agencies_are_imported_once()
        story.open_case()
        story.give_consent(self.tokyo)
        self.draft_says_what_they_will_see()
        before = self.places()
        self.hanoi.stop()
        story.send()
        story.wait_state(self.tokyo, "sent")
        story.step(self.tokyo, "receive")
        self.details_come_with_the_acceptance()
        story.step(self.tokyo, "start")
        story.wait_state(self.phnom_penh, "in_progress")
        story.step(self.tokyo, "complete", "--outcome", "remedy_obtained", "--service",
                   "fee_refund", "--lang", "en", "--closing-note", f"@{self.note()}")
        story.wait_state(self.phnom_penh, "completed")
        self.assertIn("closing_note", story.seen(self.phnom_penh)["fields"])
        story.step(self.phnom_penh, "close", "--client-informed", "yes", "--next-step", "none")
        story.wait_state(self.tokyo, "closed")
        self.hanoi.start()
        self.cluster.in_step(*story.nodes)
        self.states_are_equal()
        self.hanoi_learned_nothing(self.places() - before)
        for node in story.nodes:
            verified = node.spean("verify")
            self.assertTrue(verified["ok"], verified)
            self.assertGreater(verified["records"], 0, verified)
            self.assertEqual(verified["not_checked"], 0, verified)
            self.assertEqual(node.complaints(), [])

    def note(self):
        return self.tokyo.write("note", f"Refund paid. {MARKER}".encode())

    def agencies_are_imported_once(self):
        for first in self.story.import_agencies():
            self.assertEqual(first["failed"], 0, first)
            self.assertGreater(first["created"] + first["changed"], 0, first)
        for again in self.story.import_agencies():
            self.assertEqual((again["created"], again["changed"], again["failed"]), (0, 0, 0))
        self.cluster.in_step(*self.story.nodes)
        ours = {row["id"]: row for row in self.phnom_penh.items("/v1/agencies")}
        for node in (self.hanoi, self.tokyo):
            self.assertEqual({row["id"]: row for row in node.items("/v1/agencies")}, ours)
        languages = set()
        for record in ours:
            shown = self.phnom_penh.api("GET", f"/v1/agencies/{record}")
            languages.update(shown["fields"]["names"])
            for node in (self.hanoi, self.tokyo):
                self.assertEqual(node.api("GET", f"/v1/agencies/{record}"), shown)
        self.assertTrue(languages.issuperset(LANGUAGES), languages)

    def draft_says_what_they_will_see(self):
        self.story.draft(self.tokyo)
        preview = self.phnom_penh.spean("referral", "preview", self.story.referral)
        self.assertEqual(preview["problems"], [])
        now = {row["field"] for row in preview["now"]}
        after = {row["field"] for row in preview["after_accept"]}
        never = {row["field"] for row in preview["never"]}
        self.assertTrue(now.isdisjoint({"names", "narrative", "costs"}), now)
        self.assertTrue(after.issuperset({"names", "narrative", "costs"}), after)
        self.assertTrue(never.issuperset({"contacts", "documents"}), never)
        self.assertIsNone(self.story.seen(self.tokyo))

    def details_come_with_the_acceptance(self):
        self.assertEqual(self.story.payload(self.tokyo), {})
        self.story.accept()
        seen = wait_for(lambda: self.story.payload(self.tokyo), "the payload at Tokyo")
        total = sum(row["item"]["amount"]["amount"] for row in seen["costs"])
        self.assertEqual(total, COSTS_TOTAL)
        self.assertEqual(seen, self.story.payload(self.phnom_penh))
        self.assertNotIn("contacts", self.story.seen(self.tokyo)["fields"])

    def states_are_equal(self):
        """Both parties hold the same, byte for byte, of every part."""
        ours, theirs = (self.story.seen(node) for node in (self.phnom_penh, self.tokyo))
        self.assertEqual(ours["state_hash"], theirs["state_hash"])
        self.assertEqual(set(ours["state_hash"]), {"1", "2", "3"})

    def places(self):
        """Where the sealed entries stand, at the node that holds them all."""
        entries = self.story.entries(self.phnom_penh)
        return {place for place, row in entries.items() if row["tag"] is not None}

    def hanoi_learned_nothing(self, sealed):
        entries = self.story.entries(self.hanoi)
        bodies = {}
        for place in sealed:
            self.assertIn(entries[place]["kind"], SEALED_KINDS)
            self.assertEqual(entries[place]["fate"], "none", entries[place])
            if entries[place]["kind"] == "change":
                bodies[place] = self.story.stored(self.phnom_penh, place)
        self.assertIsNone(self.story.seen(self.hanoi))
        self.assertEqual(self.hanoi.items("/v1/referrals"), [])
        self.assertEqual(self.hanoi.items("/v1/cases"), [])
        shared = [place for place in bodies if self.story.stored(self.tokyo, place) is not None]
        self.assertGreaterEqual(len(shared), 8)  # Three parts, six steps and a note, at least.
        for node in self.story.nodes:
            node.stop()
            self.assertFalse(node.holds(MARKER.encode()), node.org_name)
            self.assertFalse(node.holds("សាកល្បង LEAK".encode()), node.org_name)
        for place, body in bodies.items():
            self.assertTrue(self.phnom_penh.holds(body))
            self.assertEqual(self.tokyo.holds(body), place in shared, place)
            self.assertFalse(self.hanoi.holds(body), place)
        for node in self.story.nodes:
            node.start()


class Refusals(ClusterTest):
    """What may not be done, or not in this order: one clear error, and nothing is changed."""

    def setUp(self):
        super().setUp()
        self.story = Story(self.cluster)
        self.phnom_penh, self.hanoi, self.tokyo = self.story.nodes
        self.story.form()

    def step_refused(self, node, exit_code, name, *flags):
        answer = node.run("referral", name, self.story.referral, "--json", *flags)
        return self.refused(answer, exit_code)

    def test_steps_out_of_order_or_by_the_wrong_side_are_refused(self):
        self.story.prepare()
        self.story.wait_state(self.tokyo, "sent")
        self.step_refused(self.tokyo, 6, "start")
        self.step_refused(self.tokyo, 6, "complete", "--outcome", "remedy_obtained")
        self.step_refused(self.phnom_penh, 6, "close", "--client-informed", "yes", "--next-step",
                          "none")
        self.assertIn(self.phnom_penh.run("referral", "accept", self.story.referral, "--assigned",
                                          "x", "--first-contact-by", "2035-01-01").exit, (4, 6))
        self.assertIn(self.tokyo.run("referral", "cancel", self.story.referral, "--reason",
                                     "client_request").exit, (4, 6))
        self.step_refused(self.hanoi, 5, "accept", "--assigned", "x", "--first-contact-by",
                          "2035-01-01")
        self.story.accept()
        self.story.wait_state(self.phnom_penh, "accepted")
        self.step_refused(self.tokyo, 6, "decline", "--reason", "no_capacity")
        self.step_refused(self.phnom_penh, 6, "error", "--reason", "wrong_target")
        self.assertEqual(self.story.seen(self.phnom_penh)["flags"], [])

    def test_nothing_is_sent_without_a_consent_that_names_the_recipient(self):
        self.story.open_case()
        self.story.give_consent(self.hanoi)
        self.story.draft(self.tokyo)
        heights = self.phnom_penh.items("/v1/logs")
        preview = self.phnom_penh.spean("referral", "preview", self.story.referral, expect=3)
        self.assertTrue(preview["problems"])
        answer = self.phnom_penh.run("referral", "send", self.story.referral, "--json")
        self.assertIn(answer.exit, (4, 6), answer)
        self.assertTrue(answer.json["error"]["message"])
        self.assertEqual(self.phnom_penh.items("/v1/logs"), heights)

    def test_a_withdrawn_consent_reaches_the_partner_and_stops_the_acceptance(self):
        self.story.prepare()
        self.story.wait_state(self.tokyo, "sent")
        self.phnom_penh.spean("consent", "withdraw", self.story.consent, "--channel", "phone",
                              "--yes")
        self.story.wait_state(self.tokyo, "consent_withdrawn")
        answer = self.tokyo.run("referral", "accept", self.story.referral, "--assigned", "x",
                                "--first-contact-by", "2035-01-01", "--json")
        self.assertIn(answer.exit, (4, 6), answer)
        self.assertEqual(self.story.payload(self.tokyo), {})


if __name__ == "__main__":
    unittest.main()
