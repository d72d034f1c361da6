"""tests/system/test_hostile.py - strangers and members that do not speak the protocol: each is
refused by the number of a rule, or ignored; the daemon lives and the others sync on."""

import os
import random
import time
import unittest

import spean_wire as wire
from cluster import ClusterTest, Failed, wait_for
from story import NAMES

GARBAGE_FRAMES = 200
MUTATIONS = 60
SEED = 20261122


def member_keys():
    """Keys of a member that only this test plays: signing, sealing, transport, admin."""
    return (wire.Signer(os.urandom(32)), wire.Sealer(os.urandom(32)),
            wire.Sealer(os.urandom(32)), wire.Signer(os.urandom(32)))


class Outsider(ClusterTest):
    def setUp(self):
        super().setUp()
        self.first, self.second = (self.cluster.add(*name) for name in NAMES[:2])
        self.cluster.form_ledger(self.first, self.second)
        self.cluster.in_step(self.first, self.second)
        shown = self.first.api("GET", "/v1/node")
        self.server = bytes.fromhex(shown["transport"])
        self.handle = bytes.fromhex(self.first.api("GET", "/v1/ledger")["handle"])
        self.endpoint = "tcp://" + self.first.address()

    def peer(self, transport=None):
        peer = wire.Peer(self.endpoint, self.server, transport or wire.Sealer(os.urandom(32)))
        self.addCleanup(peer.close)
        return peer

    def all_is_well(self):
        """The daemon lives, is whole, and syncs with the honest partner."""
        self.first.spean("agency", "add", "--name", "en=After the attack", "--kind", "shelter",
                         "--country", "JP")
        self.cluster.in_step(self.first, self.second)
        self.assertTrue(self.first.spean("verify")["ok"])
        for line in self.first.log.read_text().splitlines():
            self.assertNotIn("fatal", line)
            self.assertNotIn("ERROR: ", line)

    def refusal(self, peer):
        """The rule by which the node refused what was said last."""
        while True:
            received = peer.receive_message()
            if received is None:
                raise Failed("no REFUSE came")
            if received[0] == wire.REFUSE:
                return received[1][0]


class Stranger(Outsider):
    def test_a_stranger_gets_nothing_but_the_lobby(self):
        hello = wire.hello(self.handle, bytes(32), bytes(32), bytes(32), bytes(32), 1)
        for frame in (hello, wire.titles([], {}), wire.want(1, bytes(32), [], 1000),
                      wire.message(wire.EVIDENCE, b"x"), wire.digest([], {})):
            peer = self.peer()
            peer.send(frame)
            self.assertEqual(self.refusal(peer), 1202)
        self.all_is_well()

    def test_a_guessed_invitation_is_answered_like_an_expired_one(self):
        signing, sealing, transport, admin = member_keys()
        del signing, sealing
        document = wire.Document(wire.STATEMENT, 1, None, Member.founding(admin), [admin])
        peer = self.peer(transport)
        peer.send(wire.message(wire.JOIN, self.handle, [document.encoded], bytes(32)))
        self.assertEqual(peer.expect(wire.STANDING), [3])
        self.assertEqual(self.first.api("GET", "/v1/pending")["items"], [])
        self.all_is_well()

    def test_an_invitation_lets_in_only_the_node_that_brings_it(self):
        signing, _, transport, admin = member_keys()
        other = wire.Sealer(os.urandom(32))
        first = wire.Document(wire.STATEMENT, 1, None, Member.founding(admin), [admin])
        node = wire.accepted_node(first.id, self.handle, signing, wire.Sealer(os.urandom(32)).public,
                                  other.public)  # The chain names another than the one that calls.
        second = wire.Document(wire.STATEMENT, 2, first.id, {4: self.handle, 5: [node]}, [admin])
        secret = Member.secret_of(self.first.spean("member", "invite")["code"])
        peer = self.peer(transport)
        mac = wire.join_mac(secret, self.handle, self.server, transport.public, second.id)
        peer.send(wire.message(wire.JOIN, self.handle, [first.encoded, second.encoded], mac))
        self.assertEqual(peer.expect(wire.STANDING), [3])
        self.assertEqual(self.first.api("GET", "/v1/pending")["items"], [])
        self.all_is_well()

    def test_garbage_from_many_strangers_ends_nothing(self):
        dice = random.Random(SEED)
        for size in (0, 1, 2, 100, wire.FRAME_BYTES_MAX):
            peer = self.peer()
            peer.send(dice.randbytes(size))
            self.assertEqual(self.refusal(peer), 1301)
        peer = self.peer()
        for _ in range(GARBAGE_FRAMES):
            peer.send(dice.randbytes(dice.randrange(300)))
        self.assertEqual(self.refusal(peer), 1301)
        peer = self.peer()
        peer.send([b"one", b"two", b"three"])  # More frames than a message has.
        peer = self.peer()
        peer.send(bytes(wire.FRAME_BYTES_MAX + 1))  # More than is read at all.
        self.assertIsNone(peer.receive(0.5))
        self.all_is_well()

    def test_something_that_does_not_speak_curve_is_hung_up_on(self):
        import socket
        with socket.create_connection(("127.0.0.1", self.first.port)) as raw:
            raw.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 10)
            raw.settimeout(30)
            try:
                while raw.recv(4096):
                    pass
            except ConnectionResetError:
                pass
        self.all_is_well()


class Member(Outsider):
    """A node with the keys of a member: Tokyo joins as a real node, and is then played by hand."""

    def setUp(self):
        super().setUp()
        self.keys = member_keys()
        self.org = self.join_by_hand()

    def join_by_hand(self):
        """Become a member through the protocol alone; return the org id."""
        signing, sealing, transport, admin = self.keys
        first = wire.Document(wire.STATEMENT, 1, None, self.founding(admin), [admin])
        node = wire.accepted_node(first.id, self.handle, signing, sealing.public, transport.public)
        second = wire.Document(wire.STATEMENT, 2, first.id, {4: self.handle, 5: [node]}, [admin])
        code = self.first.spean("member", "invite")["code"]
        secret = self.secret_of(code)
        peer = self.peer(transport)
        mac = wire.join_mac(secret, self.handle, self.server, transport.public, second.id)
        peer.send(wire.message(wire.JOIN, self.handle, [first.encoded, second.encoded], mac))
        fresh = peer.expect(wire.CHALLENGE)[0]
        self.assertEqual(peer.expect(wire.STANDING), [1])
        digits = wire.join_digits(self.handle, self.server, transport.public, second.id, fresh)
        self.assertEqual([row["digits"] for row in self.first.api("GET", "/v1/pending")["items"]],
                         [digits])
        self.first.spean("member", "approve", first.id.hex(), "--digits", digits,
                         *self.first.admin())
        self.assertEqual(peer.expect(wire.STANDING), [4])  # Told without asking again.
        peer.close()
        return first.id

    @staticmethod
    def founding(admin):
        recovery = wire.recovery_hash(wire.Signer(os.urandom(32)).public)
        sealing = wire.Sealer(os.urandom(32)).public
        return {1: [1, [admin.public]], 2: recovery, 3: [1, sealing]}

    @staticmethod
    def secret_of(code):
        import base64
        text = code.removeprefix("SPEAN1:")
        return base64.b32decode(text + "=" * (-len(text) % 8))[48:64]

    def session(self, **changes):
        """A session up to the node's HELLO."""
        signing, _, transport, _ = self.keys
        peer = self.peer(transport)
        known = dict(handle=self.handle, org=self.org, signing=signing.public)
        known.update(changes)
        peer.send(wire.hello(known["handle"], known["org"], known["signing"], bytes(32), bytes(32),
                             int(time.time()) + changes.get("ahead", 0)))
        return peer

    def test_a_hello_that_lies_is_refused(self):
        other = bytes.fromhex(self.second.status()["org"])
        for changes in ({"org": other}, {"signing": bytes(32)}, {"handle": bytes(16)}):
            changes.setdefault("handle", self.handle)
            self.assertEqual(self.refusal(self.session(**changes)), 1302)
        self.all_is_well()

    def test_frames_that_are_malformed_in_any_way_are_refused(self):
        good = wire.want(1, bytes(32), [(1, bytes(32))], 1000)
        bad = [good[:cut] for cut in range(1, len(good), 7)]
        bad += [good + b"\0", b"\xdd\xff\xff\xff\xff", b"\x91" * 200, b"\xc1",
                wire.pack([99]), wire.pack([wire.WANT]), wire.pack([wire.WANT, -1]),
                wire.pack({1: 2}), b"\x92\x10\xcb" + bytes(8)]
        for frame in bad:
            peer = self.session()
            peer.expect(wire.HELLO)
            peer.send(frame)
            self.assertEqual(self.refusal(peer), 1301, frame.hex())
        self.all_is_well()

    def test_random_changes_of_real_frames_end_nothing(self):
        dice = random.Random(SEED)
        frames = [wire.titles([(1, bytes(32))], {self.org: [(1, bytes(32))]}),
                  wire.digest([], {}), wire.rows_message([0], {bytes(32): (1, bytes(32))}),
                  wire.want(7, bytes(32), [], 1 << 20), wire.message(wire.EVIDENCE, b"x" * 50),
                  wire.message(wire.RUN, 0, bytes(32), [1, 1, [], [], None]),
                  wire.message(wire.SYNCED, bytes(32), 0),
                  wire.message(wire.HEAD, bytes(32), 1, bytes(32))]
        for _ in range(MUTATIONS):
            frame = bytearray(dice.choice(frames))
            for _ in range(dice.randint(0, 3)):
                frame[dice.randrange(len(frame))] = dice.randrange(256)
            peer = self.session()
            peer.send(bytes(frame))
            peer.receive(0.05)
            peer.close()
        self.all_is_well()

    def test_a_clock_ten_years_ahead_is_named_and_changes_nothing(self):
        self.session(ahead=10 * 365 * 86400)
        wait_for(lambda: "peer_clock" in self.first.log.read_text(), "the clock is named")
        self.all_is_well()


if __name__ == "__main__":
    unittest.main()
