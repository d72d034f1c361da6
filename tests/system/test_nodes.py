"""tests/system/test_nodes.py - an organisation with several nodes, by real daemons.

Phnom Penh opens a case and refers it to Tokyo; then a second laptop joins Phnom Penh, and reads
what came before it. Hanoi stands by and must learn nothing.
"""

import signal
import unittest

from cluster import ClusterTest, Failed, Node, wait_for
from story import MARKER, SAMPLES, Story

NAMES = ("kratie-laptop", "office")


class Laptop(Node):
    """A further node of an organisation; it has no admin key of its own."""

    def join(self, code, **options):
        return self.spean("node", "join", "--file", code, "--credential", self.credential, "--wait",
                          "0", **options)


class SeveralNodes(ClusterTest):
    def setUp(self):
        super().setUp()
        self.story = Story(self.cluster)
        self.first = self.story.phnom_penh
        self.laptops = 0

    def laptop(self):
        self.laptops += 1
        node = Laptop(self.cluster.folder / f"laptop{self.laptops}", "Phnom Penh again", "KH")
        self.cluster.nodes.append(node)
        return node

    def code(self, name="node-invitation"):
        return self.first.write(name, self.first.spean("node", "invite")["code"].encode())

    def nodes(self, node=None):
        return {row["signing"]: row for row in (node or self.first).api("GET", "/v1/nodes")["items"]}

    def waiting(self):
        def row():
            rows = [row for row in self.nodes().values() if row["standing"] == "waiting"]
            return rows[0] if rows else None
        return wait_for(row, "a node knocks")

    def knock(self, laptop, code):
        """Make the laptop's store, start it, and have it knock; return the row at the inviter."""
        self.assertEqual(laptop.join(code, expect=3)["state"], "made")
        laptop.start()
        laptop.join(code, expect=3)
        row = self.waiting()
        own = wait_for(lambda: laptop.api("GET", "/v1/join")["digits"], "digits at the laptop")
        self.assertEqual(row["digits"], own)
        return row

    def take_in(self, laptop):
        row = self.knock(laptop, self.code())
        self.first.spean("node", "approve", row["signing"], "--digits", row["digits"],
                         *self.first.admin())
        wait_for(lambda: laptop.api("GET", "/v1/join")["state"] == "member", "it is a node")
        return row["signing"]

    def reads(self, node, case):
        """The case as node reads it; None: it cannot yet."""
        answer = node.run("case", "show", case, "--json")
        if answer.exit not in (0, 5):
            raise Failed(repr(answer))
        if answer.exit == 5:
            return None
        record = answer.json
        return record if record["fields"].get("narrative") else None

    def test_a_second_laptop_reads_what_came_before_it(self):
        story, first = self.story, self.first
        story.form()
        story.prepare()
        story.wait_state(story.tokyo, "sent")
        story.accept()
        story.wait_state(first, "accepted")

        laptop = self.laptop()
        signing = self.take_in(laptop)
        case = wait_for(lambda: self.reads(laptop, story.case), "the laptop reads the case")
        self.assertEqual(case["fields"], self.reads(first, story.case)["fields"])
        story.wait_state(laptop, "accepted")
        self.assertTrue(story.payload(first))
        self.assertEqual(story.payload(laptop), story.payload(first))
        self.assertEqual(laptop.status()["org"], first.status()["org"])
        self.assertEqual(laptop.status()["name"], first.status()["name"])

        # It got the organisation's secrets by one grant, of the node that invited it.
        kinds = [entry["kind"] for entry in story.entries(first).values()]
        self.assertEqual(kinds.count("org_key_grant"), 1)
        self.cluster.in_step(first, laptop, story.tokyo, story.hanoi)
        for node in (first, laptop, story.tokyo, story.hanoi):
            fates = {entry["fate"] for entry in story.entries(node).values()
                     if entry["kind"] == "org_key_grant"}
            self.assertEqual(fates, {"folded" if node in (first, laptop) else "none"})

        # What the laptop writes, the first node reads, and nobody else.
        written = laptop.spean("case", "add", "--from", SAMPLES / "case.json")
        self.assertNotEqual(written["code"], story.case)
        theirs = wait_for(lambda: self.reads(first, written["code"]), "the first node reads it")
        self.assertEqual(theirs["fields"], self.reads(laptop, written["code"])["fields"])
        self.cluster.in_step(first, laptop, story.tokyo, story.hanoi)
        for stranger in (story.tokyo, story.hanoi):
            self.assertEqual(stranger.run("case", "show", written["code"], "--json").exit, 5)
        self.assertIsNone(story.seen(story.hanoi))

        # Nobody made a second record of the organisation; both nodes stand in the one.
        own = [row for row in first.items("/v1/agencies") if row["owner"] == first.status()["org"]
               and row["org"] is not None]
        self.assertEqual(len(own), 1)
        first.spean("node", "rename", signing[:12], NAMES[0])
        wait_for(lambda: self.nodes(laptop)[signing]["name"] == NAMES[0], "the name arrives")
        self.refused(first.run("node", "rename", first.status()["node"], NAMES[0], "--json"), 6)
        laptop.spean("node", "rename", first.status()["node"], NAMES[1])
        wait_for(lambda: self.nodes()[first.status()["node"]]["name"] == NAMES[1], "both names")
        rows = self.nodes()
        self.assertEqual({row["standing"] for row in rows.values()}, {"open"})
        wait_for(lambda: self.nodes()[signing]["last_seen"], "when the laptop was met is noted")
        for node in (first, laptop, story.tokyo, story.hanoi):
            node.spean("verify")
            self.assertEqual(node.complaints(), [])

    def test_two_nodes_that_step_one_track_apart_show_a_conflict_that_a_step_settles(self):
        story = self.story
        story.form()
        story.prepare()
        story.wait_state(story.tokyo, "sent")
        story.accept()
        story.step(story.tokyo, "start")
        self.first = story.tokyo
        laptop = self.laptop()
        self.take_in(laptop)
        everybody = (story.tokyo, laptop, story.phnom_penh)
        for node in everybody:
            story.wait_state(node, "in_progress")

        # Apart: while one of Tokyo's nodes works, the other is off and nobody else answers.
        story.tokyo.stop()
        others = (story.phnom_penh, story.hanoi)
        self.signal(signal.SIGSTOP, *others)
        story.step(laptop, "complete", "--outcome", "remedy_obtained", "--service", "fee_refund")
        self.assertEqual(story.seen(laptop)["state"], "completed")
        laptop.stop()
        story.tokyo.start()
        story.step(story.tokyo, "hold", "--reason", "awaiting_documents", "--review-by",
                   "2035-12-01")
        self.assertEqual(story.seen(story.tokyo)["flags"], [])
        self.signal(signal.SIGCONT, *others)
        laptop.start()

        # Together: what is live comes before what is final, for everybody alike.
        for node in everybody:
            self.wait_flags(node, ["target_conflict"])
            self.assertEqual(story.seen(node)["state"], "on_hold")
            self.assertEqual(self.heads(node, "target"), ["complete", "hold"])
        hashes = {story.seen(node)["state_hash"]["1"] for node in everybody}
        self.assertEqual(len(hashes), 1)

        # The next step of that track follows both, and there is one head again.
        settled = story.step(laptop, "start")
        heads = [step for step in settled["steps"] if step["track"] == "target" and step["head"]]
        self.assertEqual([len(step["follows"]) for step in heads], [2])
        for node in everybody:
            self.wait_flags(node, [])
            self.assertEqual(story.seen(node)["state"], "in_progress")
            self.assertFalse(any(step["misfit"] for step in story.seen(node)["steps"]))
            node.spean("verify")

    def apart(self, one, other, step_of_one, step_of_other):
        """Take two steps at two nodes that know nothing of each other's; then all meet."""
        other.stop()
        others = (self.story.phnom_penh, self.story.hanoi)
        self.signal(signal.SIGSTOP, *others)
        step_of_one()
        one.stop()
        other.start()
        step_of_other()
        self.signal(signal.SIGCONT, *others)
        one.start()

    def preview(self, node):
        """What node can read of the preview."""
        names = ("services_requested", "safe_contact", "reason")
        return {name for name in names if name in self.story.seen(node)["fields"]}

    def receipts(self, node):
        """The logs whose nodes said that nothing is left with them."""
        rows = self.story.seen(node)["fields"].get("purge_receipts", [])
        return {row["name"].split("-")[0] for row in rows}

    def test_what_one_node_declines_stays_readable_for_the_one_that_accepted(self):
        story = self.story
        story.form(erasure_delay="0")
        story.prepare()
        story.wait_state(story.tokyo, "sent")
        self.first = story.tokyo
        laptop = self.laptop()
        self.take_in(laptop)
        wait_for(lambda: story.seen(laptop) and self.preview(laptop), "the laptop reads it")
        everybody = (story.tokyo, laptop, story.phnom_penh)
        decline = ("decline", "--reason", "no_capacity")
        self.apart(laptop, story.tokyo, lambda: story.step(laptop, *decline), story.accept)
        for node in everybody:
            self.wait_flags(node, ["target_conflict"])
            self.assertEqual(story.seen(node)["state"], "accepted")
        self.cluster.in_step(*everybody)

        # Nothing is purged while another head stands, and Tokyo's people are told to decide.
        for node in (story.tokyo, laptop):
            self.assertEqual(len(self.preview(node)), 3)
            self.assertEqual(node.status()["todo"]["decisions"], 1)
            self.assertEqual(node.run("status").exit, 3)
            self.assertIn("at the same time", node.run("referral", "show", story.referral).out)
        self.assertEqual(story.phnom_penh.status()["todo"]["decisions"], 0)
        self.assertEqual(self.receipts(story.phnom_penh), set())

        # They decide for what one of them had said, though it is final; then nothing is left.
        story.step(story.tokyo, *decline)
        for node in everybody:
            story.wait_state(node, "declined")
            self.assertEqual(story.seen(node)["flags"], [])
            self.assertFalse(any(step["misfit"] for step in story.seen(node)["steps"]))
        self.assertEqual(story.tokyo.status()["todo"]["decisions"], 0)
        wait_for(lambda: len(self.receipts(story.phnom_penh)) == 2, "a receipt of either node")
        for node in (story.tokyo, laptop):
            self.assertEqual(self.preview(node), set())
            self.assertEqual(node.complaints(), [])

    def test_what_was_passed_on_and_completed_at_once_is_decided_without_a_second_child(self):
        story = self.story
        story.form()
        story.prepare(recipients=[story.tokyo, story.hanoi])
        story.wait_state(story.tokyo, "sent")
        story.accept()
        self.first = story.tokyo
        laptop = self.laptop()
        self.take_in(laptop)
        wait_for(lambda: story.seen(laptop) and story.payload(laptop), "the laptop reads it")
        everybody = (story.tokyo, laptop, story.phnom_penh)
        passes_on = ("redirect", "--to", story.org(story.hanoi), "--respond-by", "72h")
        self.apart(laptop, story.tokyo, lambda: story.step(laptop, *passes_on),
                   lambda: story.step(story.tokyo, "complete", "--outcome", "remedy_obtained"))
        for node in everybody:
            self.wait_flags(node, ["target_conflict"])
        story.step(story.tokyo, *passes_on)
        for node in everybody:
            self.wait_flags(node, [])
            self.assertEqual(story.seen(node)["state"], "redirected")
        steps = [step for step in story.seen(laptop)["steps"] if step["step"] == "redirect"]
        self.assertEqual(len({step["child"] for step in steps}), 1)
        self.assertEqual(len(steps), 2)
        self.cluster.in_step(*everybody, story.hanoi)
        self.assertEqual(len(story.hanoi.items("/v1/referrals")), 1)

    def test_a_decline_erases_when_the_other_node_has_heard_and_each_gives_its_receipt(self):
        story = self.story
        story.form(erasure_delay="0")
        self.first = story.tokyo
        laptop = self.laptop()
        self.take_in(laptop)
        self.cluster.in_step(*story.nodes, laptop)
        story.prepare()
        wait_for(lambda: story.seen(laptop) and self.preview(laptop), "the laptop reads it")
        bodies = [story.stored(laptop, place) for place, row in story.entries(laptop).items()
                  if row["tag"] is not None and row["kind"] == "change" and row["body"] == "held"]
        laptop.stop()
        story.wait_state(story.tokyo, "sent")
        story.step(story.tokyo, "decline", "--reason", "no_capacity")
        story.wait_state(story.phnom_penh, "declined")
        self.cluster.in_step(*story.nodes)
        self.assertEqual(self.receipts(story.phnom_penh), set())  # The laptop may have accepted.
        laptop.start()
        wait_for(lambda: len(self.receipts(story.phnom_penh)) == 2, "a receipt of either node")
        laptop.stop()
        story.tokyo.stop()
        for node in (story.tokyo, laptop):
            gone = [body for body in bodies if not node.holds(body)]
            self.assertGreaterEqual(len(gone), 1)
            self.assertFalse(node.holds(MARKER.encode()))
            self.assertEqual(node.complaints(), [])

    def test_an_origin_that_cancels_and_amends_apart_shows_a_conflict_that_a_step_settles(self):
        story, first = self.story, self.first
        story.form()
        story.prepare()
        laptop = self.laptop()
        self.take_in(laptop)
        everybody = (first, laptop, story.tokyo)
        for node in everybody:
            story.wait_state(node, "sent")
        wait_for(lambda: story.payload(laptop), "the laptop reads the referral")

        # Apart: one node of Phnom Penh gives the time that the other has just called off.
        first.stop()
        others = (story.tokyo, story.hanoi)
        self.signal(signal.SIGSTOP, *others)
        story.step(laptop, "cancel", "--reason", "client_request")
        self.assertEqual(story.seen(laptop)["state"], "cancelled")
        laptop.stop()
        first.start()
        story.step(first, "amend", "--respond-by", "96h")
        self.assertEqual(story.seen(first)["flags"], [])
        self.signal(signal.SIGCONT, *others)
        laptop.start()

        # Together: it counts as sent, for who would help must not be held up by a doubt.
        for node in everybody:
            wait_for(lambda: "origin_conflict" in story.seen(node)["flags"], "the conflict shows")
            self.assertEqual(story.seen(node)["state"], "sent")
            self.assertEqual(self.heads(node, "origin"), ["amend", "cancel"])
        self.assertEqual(len({story.seen(node)["state_hash"]["1"] for node in everybody}), 1)

        # A step of Tokyo's is of another track, and settles nothing.
        story.step(story.tokyo, "receive")
        for node in everybody:
            story.wait_state(node, "received")
            self.assertEqual(story.seen(node)["flags"], ["origin_conflict"])

        # Phnom Penh's next step follows both, and there is one head again.
        settled = story.step(first, "cancel", "--reason", "client_request")
        heads = [step for step in settled["steps"] if step["track"] == "origin" and step["head"]]
        self.assertEqual([len(step["follows"]) for step in heads], [2])
        for node in everybody:
            self.wait_flags(node, [])
            self.assertEqual(story.seen(node)["state"], "cancelled")
            self.assertFalse(any(step["misfit"] for step in story.seen(node)["steps"]))
            node.spean("verify")
        self.assertIsNone(story.seen(story.hanoi))

    def heads(self, node, track):
        return sorted(step["step"] for step in self.story.seen(node)["steps"]
                      if step["track"] == track and step["head"])

    def signal(self, number, *nodes):
        for node in nodes:
            node.process.send_signal(number)

    def wait_flags(self, node, flags):
        wait_for(lambda: self.story.seen(node)["flags"] == flags,
                 f"{node.org_name} shows {flags}")

    def retire(self, name, *flags):
        return self.first.run("node", "retire", name, *flags, *self.first.admin(), "--json")

    def test_a_retired_node_is_shut_out_and_what_it_wrote_stays(self):
        story, first = self.story, self.first
        story.form()
        confirm = ("--confirm", first.org_name)
        self.refused(self.retire(first.status()["node"], *confirm), 6, "last_node")
        laptop = self.laptop()
        signing = self.take_in(laptop)
        wait_for(lambda: laptop.items("/v1/agencies"), "the laptop is one of us")
        written = wait_for(lambda: self.try_case(laptop), "the laptop can write")
        wait_for(lambda: self.reads(first, written["code"]), "the first node reads it")
        self.cluster.in_step(first, laptop, story.tokyo, story.hanoi)

        self.refused(self.retire(signing, "--confirm", "Somebody Else"), 2)
        self.refused(self.retire("no-such-node", *confirm), 5, "not_found")
        self.assertEqual(self.retire(signing, "--dry-run").exit, 0)
        self.assertEqual(self.nodes()[signing]["standing"], "open")
        self.assertEqual(self.retire(signing, *confirm).exit, 0)
        listed = first.spean("node", "list")["items"]
        self.assertEqual({row["signing"]: row["standing"] for row in listed}[signing], "retired")
        self.refused(self.retire(signing, *confirm), 6)
        wait_for(lambda: not self.connected(story.tokyo, laptop), "Tokyo drops it")
        self.assertTrue(self.reads(first, written["code"]))

        # It asks why nobody speaks to it, is told, says so, and writes nothing more.
        laptop.run("sync", "now")
        wait_for(lambda: any("retired" in line for line in laptop.status()["health"]["problems"]),
                 "the laptop says that it was retired")
        self.refused(laptop.run("case", "add", "--from", SAMPLES / "case.json", "--json"), 6)
        self.assertTrue(self.reads(laptop, written["code"]))
        heights = {log["id"]: log["height"] for log in laptop.items("/v1/logs")}
        later = first.spean("case", "add", "--from", SAMPLES / "case.json")
        self.cluster.in_step(first, story.tokyo, story.hanoi)
        self.assertIsNone(self.reads(laptop, later["code"]))
        self.assertEqual({log["id"]: log["height"] for log in laptop.items("/v1/logs")}, heights)
        for node in (first, story.tokyo, story.hanoi):
            node.spean("verify")

    def try_case(self, node):
        answer = node.run("case", "add", "--from", SAMPLES / "case.json", "--json")
        return answer.json if answer.exit == 0 else None

    def connected(self, node, other):
        """Whether node counts the key of other among the open ones of its organisation."""
        key = other.api("GET", "/v1/node")["transport"]
        return any(row["transport"] == key and row["standing"] == "open"
                   for member in node.items("/v1/members") for row in member["nodes"])

    def test_who_is_not_let_in_gets_nothing(self):
        first = self.first
        self.cluster.form_ledger(first)
        code = self.code()
        laptop = self.laptop()
        row = self.knock(laptop, code)
        wrong = "0000 0000" if row["digits"] != "0000 0000" else "1111 1111"
        self.refused(first.run("node", "approve", row["signing"], "--digits", wrong,
                               *first.admin(), "--json"), 9, "digits_differ")
        self.assertEqual(laptop.status()["ledger"], None)

        # The code was used: another machine gets nowhere with it, and learns nothing.
        other = self.laptop()
        self.assertEqual(other.join(code, expect=3)["state"], "made")
        other.start()
        other.run("node", "join", "--file", code, "--credential", other.credential, "--wait", "0")
        wait_for(lambda: other.api("GET", "/v1/join")["state"] == "expired", "the code is used up")
        self.refused(other.run("node", "join", "--wait", "0", "--json"), 6, "expired")

        # An invitation of one kind is of no use for the other.
        of_org = first.write("of-org", first.spean("member", "invite")["code"].encode())
        self.refused(other.run("node", "join", "--file", of_org, "--json"), 2)
        self.refused(other.run("member", "join", "--file", self.code("second"), "--json"), 2)

        first.spean("node", "refuse", row["signing"])
        wait_for(lambda: laptop.api("GET", "/v1/join")["state"] == "refused", "it is told")
        self.refused(laptop.run("node", "join", "--wait", "0", "--json"), 4, "refused")
        self.refused(first.run("node", "approve", row["signing"], "--digits", row["digits"],
                               *first.admin(), "--json"), 6)
        self.assertEqual(len([r for r in self.nodes().values() if r["standing"] == "open"]), 1)


if __name__ == "__main__":
    unittest.main()
