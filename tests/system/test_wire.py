"""tests/system/test_wire.py - what spean_wire.py encodes it reads back, and refuses the rest."""

import unittest

import zmq
from zmq.utils import z85

import spean_wire as wire

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
TAG = bytes(16)


def some_log():
    log = wire.Log(KEY, OTHER, wire.Signer(KEY))
    log.append(wire.CHANGE, b"one", 1000)
    log.append(wire.CHANGE, b"two", 500, TAG, flags=0)
    log.append(wire.CHANGE, b"three", 2000, TAG, later=(2, [5, {1: None}]))
    return log


class Wire(unittest.TestCase):
    def test_only_canonical_bytes_are_read(self):
        for data in (b"", b"\x01\x02", b"\xcc\x01", b"\xca" + bytes(4), b"\x82\x02\xc0\x01\xc0",
                     b"\xa1\x00", b"\x91" * 8 + b"\x90", b"\xd4\x01\x00", b"\x81\x90\xc0"):
            with self.assertRaises(wire.WireError, msg=data.hex()):
                wire.unpack(data)
        self.assertEqual(wire.unpack(wire.pack({2: [None], 1: b"x"})), {1: b"x", 2: [None]})

    def test_a_run_gives_its_entries_back_with_or_without_bodies(self):
        log = some_log()
        for bodies in (True, False, [2]):
            value = wire.unpack(wire.pack(log.run(1, 3, bodies)))
            entries = wire.expand_run(log.id, wire.NO_ID, value)
            self.assertEqual([entry.id for entry in entries], [entry.id for entry in log.entries])
            self.assertEqual([entry.header for entry in entries],
                             [entry.header for entry in log.entries])
        wire.verify(log.signer.public, "spean/commit/1", log.id + entries[-1].id, value[4])

    def test_a_copy_of_a_log_is_a_fork(self):
        log = some_log()
        other = log.copy(1)
        other.append(wire.CHANGE, b"another", 1000)
        self.assertEqual(other.entries[0].id, log.entries[0].id)
        self.assertNotEqual(other.entries[1].id, log.entries[1].id)
        proof = wire.evidence(log.id, 2, log.entries[0].id, log.run(2, 3, False),
                              other.run(2, 2, False))
        self.assertEqual(len(wire.unpack(proof)), 5)

    def test_a_document_holds_only_with_its_signatures(self):
        signer = wire.Signer(KEY)
        document = wire.Document(wire.STATEMENT, 2, OTHER, {6: [[KEY, 0, None]]}, [signer])
        read = wire.decode_document(document.encoded)
        self.assertEqual(read, (document.id, wire.STATEMENT, 2, OTHER, document.changes,
                                [signer.public]))
        with self.assertRaises(wire.WireError):
            wire.decode_document(document.encoded[:-1] + b"\x00")

    def test_sealed_bodies_open_with_their_key_alone(self):
        log = some_log()
        tag, another = (wire.part_tag(wire.key_proof(KEY, bytes(16), part), log.id)
                        for part in (1, 2))
        body = wire.sealed_body(KEY, tag, bytes(24), log.id, 4, b"content")
        self.assertEqual(wire.open_body(KEY, tag, log.id, 4, body), b"content")
        for key, bears, seq in ((OTHER, tag, 4), (KEY, another, 4), (KEY, tag, 5)):
            with self.assertRaises(wire.WireError):
                wire.open_body(key, bears, log.id, seq, body)

    def test_a_grant_opens_for_its_receivers_alone(self):
        author, receiver = wire.Sealer(KEY), wire.Sealer(OTHER)
        domain = "spean/grant-pair/1"
        place = wire.GrantPlace(some_log().id, 4, KEY, bytes(24))
        terms = wire.part_terms(TAG, 1, 1, KEY, [OTHER], {})
        content = wire.grant(place, 1, KEY, {OTHER: author.pair(domain, receiver.public)}, terms)
        pair_key = receiver.pair(domain, author.public)
        self.assertEqual(wire.open_grant(place, content, OTHER, pair_key), (KEY, terms))
        with self.assertRaises(wire.WireError):
            wire.open_grant(place, content, KEY, pair_key)

    def test_frames_too_long_are_refused(self):
        with self.assertRaises(wire.WireError):
            wire.decode_message(wire.message(wire.EVIDENCE, bytes(wire.FRAME_BYTES_MAX)))
        self.assertEqual(wire.decode_message(wire.message(wire.PING, 7)), (wire.PING, [7]))


class Dealer(unittest.TestCase):
    """Against a ROUTER that stands for a node."""

    def setUp(self):
        self.context = zmq.Context()
        self.addCleanup(self.context.term)
        server = wire.Sealer(KEY)
        self.server = server.public
        self.router = self.context.socket(zmq.ROUTER)
        self.addCleanup(self.router.close)
        self.router.linger = 0
        self.router.rcvtimeo = 10000
        self.router.curve_server = True
        self.router.curve_secretkey = z85.encode(server.secret)
        self.router.curve_publickey = z85.encode(server.public)
        port = self.router.bind_to_random_port("tcp://127.0.0.1")
        self.endpoint = f"tcp://127.0.0.1:{port}"

    def test_a_peer_sends_single_frames_and_reads_the_answer(self):
        with wire.Peer(self.endpoint, self.server, wire.Sealer(OTHER)) as peer:
            peer.send(wire.message(wire.PING, 1))
            route, frame = self.router.recv_multipart()
            self.assertEqual(wire.decode_message(frame), (wire.PING, [1]))
            self.router.send_multipart([route, wire.message(wire.PONG, 1)])
            self.assertEqual(peer.expect(wire.PONG), [1])
            self.assertIsNone(peer.receive(0.01))

    def test_another_message_than_expected_is_told(self):
        with wire.Peer(self.endpoint, self.server, wire.Sealer(OTHER)) as peer:
            peer.send(wire.message(wire.PING, 1))
            route, _ = self.router.recv_multipart()
            self.router.send_multipart([route, wire.message(wire.REFUSE, 1301, "no")])
            with self.assertRaisesRegex(wire.WireError, "expected type 17"):
                peer.expect(wire.PONG)


if __name__ == "__main__":
    unittest.main()
