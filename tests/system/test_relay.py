"""tests/system/test_relay.py - two partners who are never online together, and what carries for them.

Jakarta founds the ledger and is its relay. Phnom Penh and Tokyo never run at the same time: all that
one knows of the other went through Jakarta, which must be able to read none of it.
"""

import itertools
import unittest

from cluster import ClusterTest, wait_for
from spean_store import Store
from spean_wire import (GrantPlace, Sealer, WireError, granted_part, key_proof, open_body, open_grant,
                        part_tag, unpack, unseal)
from story import MARKER, Story

SEALED_KINDS = ("change", "grant")


class Relay(ClusterTest):
    def setUp(self):
        super().setUp()
        self.story = Story(self.cluster)
        self.phnom_penh, self.hanoi, self.tokyo = self.story.nodes
        self.jakarta = self.cluster.add("Jakarta Relay", "ID")
        self.running = None
        self.cluster.form_ledger(self.jakarta)
        for node in (self.phnom_penh, self.tokyo):
            self.only(node)
            self.cluster.invite(self.jakarta, node)
            self.story.org(node)
            self.in_step(node)
        self.hanoi.start()
        self.cluster.invite(self.jakarta, self.hanoi)
        self.in_step(self.hanoi)

    def only(self, node):
        """Let node run, and of the two partners nobody else."""
        if self.running is not node:
            if self.running is not None:
                self.running.stop()
            node.start()
            self.running = node

    def in_step(self, node):
        self.cluster.in_step(self.jakarta, node)

    def relay(self, verb):
        return self.jakarta.spean("member", "relay", verb, self.story.org(self.jakarta),
                                  *self.jakarta.admin())

    def at(self, node):
        """Node comes online, and the other partner is gone."""
        self.only(node)
        self.in_step(node)
        return node

    def test_a_referral_travels_to_completed_through_a_relay_that_learns_nothing(self):
        story = self.story
        self.relay("add")
        self.hanoi.stop()  # So that nothing comes by another member.
        self.at(self.phnom_penh)
        self.members_show_the_relay()
        before = self.places()
        story.prepare()
        granted = story.granted(self.phnom_penh)
        self.in_step(self.phnom_penh)

        story.wait_state(self.at(self.tokyo), "sent")
        self.came_by(self.tokyo, self.phnom_penh, "relay")
        story.step(self.tokyo, "receive")
        story.accept()
        self.assertEqual(story.payload(self.tokyo), {})
        self.in_step(self.tokyo)

        story.wait_state(self.at(self.phnom_penh), "accepted")
        self.came_by(self.phnom_penh, self.tokyo, "relay")
        wait_for(lambda: story.granted(self.phnom_penh) > granted, "the grant of the payload")
        self.in_step(self.phnom_penh)

        self.at(self.tokyo)
        seen = wait_for(lambda: story.payload(self.tokyo), "the payload at Tokyo")
        self.assertIn("costs", seen)
        story.step(self.tokyo, "start")
        story.step(self.tokyo, "complete", "--outcome", "remedy_obtained", "--service",
                   "fee_refund")
        self.in_step(self.tokyo)

        story.wait_state(self.at(self.phnom_penh), "completed")
        story.step(self.phnom_penh, "close", "--client-informed", "yes", "--next-step", "none")
        self.in_step(self.phnom_penh)
        hashes = story.seen(self.phnom_penh)["state_hash"]
        story.wait_state(self.at(self.tokyo), "closed")
        self.assertEqual(story.seen(self.tokyo)["state_hash"], hashes)
        self.at(self.phnom_penh)
        self.hanoi.start()
        self.in_step(self.hanoi)
        self.nothing_was_learned(self.places() - before)

    def members_show_the_relay(self):
        rows = self.phnom_penh.spean("member", "list")["items"]
        relays = [row["org"] for row in rows if any(node["relay"] for node in row["nodes"])]
        self.assertEqual(relays, [self.story.org(self.jakarta)])

    def came_by(self, node, partner, way):
        rows = {row["org"]: row for row in node.status()["partners"]}
        self.assertEqual(rows[self.story.org(partner)]["by"], way)
        self.assertEqual(rows[self.story.org(self.jakarta)]["by"], "direct")
        self.assertIn(f"{way}", node.run("status").out)

    def places(self):
        entries = self.story.entries(self.phnom_penh)
        return {place for place, row in entries.items() if row["tag"] is not None}

    def nothing_was_learned(self, sealed):
        story = self.story
        changes = [place for place in sealed
                   if story.entries(self.phnom_penh)[place]["kind"] == "change"]
        bodies = {place: story.stored(self.jakarta, place) for place in changes}
        self.assertGreaterEqual(len(changes), 10)
        for place, body in bodies.items():
            self.assertIsNotNone(body, place)
            self.assertEqual(story.stored(self.phnom_penh, place), body, place)
        for node in (self.jakarta, self.hanoi):
            for place, row in story.entries(node).items():
                if place in sealed:
                    self.assertIn(row["kind"], SEALED_KINDS)
                    self.assertEqual(row["fate"], "none", row)
            self.assertIsNone(story.seen(node))
            self.assertEqual(node.items("/v1/referrals") + node.items("/v1/cases"), [])
        self.assertTrue(self.jakarta.status()["health"]["ok"])
        self.assertTrue(self.jakarta.spean("verify")["ok"])
        carried = self.carried()
        for node in (self.jakarta, self.hanoi):
            story.org(node)  # Known from now on, also when it is stopped.
        for node in (self.jakarta, self.hanoi, self.phnom_penh):
            node.stop()
        self.running = None
        self.no_secret_is_there(carried, bodies)
        for node in (self.jakarta, *story.nodes):
            self.assertFalse(node.holds(MARKER.encode()), node.org_name)
            self.assertEqual(node.complaints(), [])
        for place, body in bodies.items():
            self.assertTrue(self.jakarta.holds(body), place)
            self.assertFalse(self.hanoi.holds(body), place)

    def carried(self):
        """Every entry with a body that the relay holds: [(log id, org, row)]."""
        found = []
        for log in self.jakarta.items("/v1/logs"):
            for row in self.jakarta.items(f"/v1/logs/{log['id']}/entries?whole=1"):
                if row["stored"] is not None:
                    found.append((bytes.fromhex(log["id"]), bytes.fromhex(log["org"]), row))
        return found

    def part_keys(self, carried, readers, authors):
        """{key: (record, part)}: what readers, {org: Sealer}, can open of the grants of authors."""
        keys = {}
        for log, author, row in carried:
            if row["kind"] != "grant":
                continue
            content = bytes.fromhex(row["stored"])[16:]
            place = GrantPlace(log, row["seq"], author, unpack(content)[1])
            for reader, sealer in readers.items():
                pair = sealer.pair("spean/grant-pair/1", authors[author].public)
                try:
                    key, sealed = open_grant(place, content, reader, pair)
                except WireError:
                    continue
                keys[key] = granted_part(sealed)
        return keys

    def opens(self, carried, keys):
        """The places of the changes that open under one of keys, {key: (record, part)}."""
        found = set()
        for log, _, row in carried:
            for key, of in keys.items():
                tag = part_tag(key_proof(key, *of), log)
                if row["kind"] == "change" and row["tag"] == tag.hex():
                    open_body(key, tag, log, row["seq"], bytes.fromhex(row["stored"]))
                    found.add((log.hex(), row["seq"]))
        return found

    def no_secret_is_there(self, carried, bodies):
        """Whoever has the relay, unlocked, and all its disk, has nothing that opens what it carries:
        neither a key itself, nor a secret that leads to one. The same search finds both with the
        parties, so it would find them here."""
        story = self.story
        stores = {node: Store(node) for node in (self.jakarta, *story.nodes)}
        sealers = {bytes.fromhex(story.org(node)): store.secrets.org[1]
                   for node, store in stores.items()}
        parties = (self.phnom_penh, self.tokyo)
        of = {node: {bytes.fromhex(story.org(node)): sealers[bytes.fromhex(story.org(node))]}
              for node in stores}
        keys = {node: self.part_keys(carried, of[node], sealers) for node in stores}
        theirs = {**keys[self.phnom_penh], **keys[self.tokyo]}
        self.assertGreaterEqual(len(keys[self.tokyo]), 3)  # Steps, preview, payload.
        self.assertTrue(set(bodies) <= self.opens(carried, theirs))
        for node in parties:
            for key in keys[node]:
                self.assertTrue(stores[node].knows(key), node.org_name)
                self.assertFalse(stores[node].shows(key), node.org_name)
            self.assertTrue(stores[node].knows(MARKER.encode()), node.org_name)
            self.assertFalse(stores[node].shows(MARKER.encode()), node.org_name)
        secrets = set(theirs).union(*(stores[node].secrets.all for node in parties))
        for node in (self.jakarta, self.hanoi):
            self.assertEqual(keys[node], {}, node.org_name)
            self.assertFalse(stores[node].knows(MARKER.encode()), node.org_name)
            for secret in secrets:
                self.assertFalse(stores[node].knows(secret), node.org_name)
                self.assertFalse(stores[node].shows(secret), node.org_name)
        self.no_box_opens(carried, stores[self.jakarta].secrets, sealers)

    def no_box_opens(self, carried, secrets, sealers):
        """Every secret of the relay against every box that it carries, also those meant for others."""
        boxes = 0
        for log, author, row in carried:
            if row["kind"] != "grant":
                continue
            content = bytes.fromhex(row["stored"])[16:]
            _, nonce, _, _, rows = unpack(content)
            place = GrantPlace(log, row["seq"], author, nonce)
            for secret in secrets.all:
                pairs = [secret, *(Sealer(secret).pair(domain, sealers[author].public)
                                   for domain in ("spean/grant-pair/1", "spean/orgkey-pair/1"))]
                for (hint, box), pair in itertools.product(rows, pairs):
                    with self.assertRaises(WireError):
                        unseal(pair, nonce, place.associated(0) + hint, box)
                    boxes += 1
        self.assertGreater(boxes, 100)

    def test_only_while_the_charter_names_it_does_a_relay_get_bodies(self):
        story = self.story
        self.at(self.phnom_penh)
        first = self.writes_a_case()
        self.in_step(self.phnom_penh)
        self.in_step(self.hanoi)
        self.assertEqual(self.held(first), set())
        self.relay("add")  # What was written before is carried, too.
        wait_for(lambda: self.held(first) == first, "the relay has what came before")
        second = self.writes_a_case()
        wait_for(lambda: self.held(second) == second, "the relay has what is new")
        self.relay("remove")
        self.in_step(self.phnom_penh)
        third = self.writes_a_case()
        self.in_step(self.phnom_penh)
        self.assertEqual(self.held(first | second | third), first | second)
        self.phnom_penh.stop()
        self.phnom_penh.start()  # A new session is no different.
        self.in_step(self.phnom_penh)
        self.assertEqual(self.held(third), set())
        for place in first | second | third:
            self.assertIsNone(story.stored(self.hanoi, place))

    def writes_a_case(self):
        """The places of the sealed changes that a new case is made of."""
        before = self.places()
        self.story.open_case()
        entries = self.story.entries(self.phnom_penh)
        return {place for place in self.places() - before if entries[place]["kind"] == "change"}

    def held(self, places):
        return {place for place in places if self.story.entries(self.jakarta)[place]["body"] ==
                "held"}

    def test_a_relay_catches_up_on_bodies_that_came_as_headers_through_a_third_node(self):
        self.relay("add")
        self.at(self.phnom_penh)
        self.in_step(self.hanoi)
        self.jakarta.stop()
        places = self.writes_a_case()
        self.cluster.in_step(self.phnom_penh, self.hanoi)
        self.phnom_penh.stop()
        self.running = None
        self.jakarta.start()
        self.in_step(self.hanoi)
        self.assertEqual(self.held(places), set())
        health = wait_for(lambda: self.jakarta.status()["health"]["problems"], "it says so")
        self.assertIn("carries for others", health[0])
        self.at(self.phnom_penh)
        wait_for(lambda: self.held(places) == places, "the relay has the bodies")
        wait_for(lambda: self.jakarta.status()["health"]["ok"], "and says so")

    def test_who_is_no_steward_names_no_relay_and_what_is_unknown_is_refused(self):
        self.at(self.phnom_penh)
        answer = self.phnom_penh.run("member", "relay", "add", self.story.org(self.jakarta),
                                     "--json", *self.phnom_penh.admin())
        self.refused(answer, 4, "not_permitted")
        answer = self.jakarta.run("member", "relay", "add", "ffffffff", "--json",
                                  *self.jakarta.admin())
        self.refused(answer, 5, "not_found")
        self.assertEqual(self.relay("add")["version"], self.relay("add")["version"])


if __name__ == "__main__":
    unittest.main()
