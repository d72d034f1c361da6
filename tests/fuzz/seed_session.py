#!/usr/bin/python3
"""tests/fuzz/seed_session.py - write the first inputs of corpus/message, run, session, statement.

Written from docs/PROTOCOL.md, sections 2 to 5, 12 and 13, with Debian's msgpack.
"""

import base64
import hashlib
import os

import msgpack

ID = b"\xaa" * 32
KEY = b"\x07" * 32
TAG = b"\x21" * 16
NAME = b"\x55" * 8
PLACE = [7, ID]

# Runs: [first seq, time, tags, entries, signature].
ENTRY = [1, 1, 0, None, b"body"]
RUNS = {
    "one": [1, 1790000000, [], [ENTRY], bytes(64)],
    "middle": [1000, 1790000000, [], [ENTRY, [2, 1, 60, None, b"x"]], bytes(64)],
    "tags": [1, 9, [TAG, b"\x22" * 16],
             [[1, 0, 0, 0, b"a"], [1, 0, -5, 1, b"b"], [1, 1, 5, 0, b"c"]], bytes(64)],
    "without_bodies": [5, 9, [TAG], [[1, 1, 0, 0, [300, ID]]], bytes(64)],
    "at_a_cut": [5, 9, [], [[1, 0, 0, None, b"a"]], None],
    "later_format": [5, 9, [], [[9, 1, 0, None, b"a", 2, msgpack.packb("rest")]], bytes(64)],
    "unused_tag": [1, 9, [TAG], [ENTRY], bytes(64)],
    "tag_twice": [1, 9, [TAG, TAG], [[1, 0, 0, 0, b"a"], [1, 1, 0, 1, b"b"]], bytes(64)],
    "no_entries": [1, 9, [], [], bytes(64)],
    "first_delta": [1, 9, [], [[1, 1, 3, None, b"a"]], bytes(64)],
    "time_below_0": [1, 9, [], [ENTRY, [1, 1, -10, None, b"a"]], bytes(64)],
    "evidence": [ID, 5, ID, [5, 9, [], [[1, 1, 0, None, [3, ID]]], bytes(64)],
                 [5, 9, [], [[1, 1, 0, None, [4, ID]]], bytes(64)]],
}


def pair(one, other):
    first = msgpack.packb(RUNS[one])
    return len(first).to_bytes(2, "big") + first + msgpack.packb(RUNS[other])


PAIRS = {
    "pair_differs": pair("one", "tags"),
    "pair_equal": pair("one", "one"),
    "pair_elsewhere": pair("one", "middle"),
}

DOCUMENT = msgpack.packb([msgpack.packb([1, 1, 1, None, {2: ID}]), [[KEY, bytes(64)]]])

MESSAGES = {
    "hello": [1, b"spean\0\0\0", 1, 1, bytes(16), ID, KEY, ID, ID, [1, 2], 1790000000],
    "refuse": [2, 1301, "the bytes are not a canonical encoding"],
    "titles": [3, [[2, ID]], [[KEY, []], [ID, [[1, ID], [1, KEY]]]], False],
    "documents": [4, [DOCUMENT], True],
    "evidence": [5, msgpack.packb(RUNS["evidence"])],
    "digest": [6, NAME + b"\x56" * 8, bytes(512)],
    "rows": [7, (1 << 64) - 1, [[KEY] + PLACE, [ID] + PLACE], False],
    "want": [8, 1, ID, [[9, ID], PLACE, [1, KEY]], 1 << 20],
    "run": [9, 1, ID, RUNS["tags"]],
    "pushed": [9, 0, ID, RUNS["one"]],
    "end": [10, 1, 0],
    "more": [11, 1, 1 << 22],
    "fetch": [12, 1, ID, TAG, ID, [1, 2, 300]],
    "bodies": [13, 1, [[1, b"x"], [300, bytes(40)]], True],
    "head": [14, ID] + PLACE,
    "synced": [15, ID, 3],
    "ping": [16, 0],
    "pong": [17, (1 << 64) - 1],
    "held": [18, ID] + PLACE,
    "offer": [20, [DOCUMENT]],
    "join": [21, bytes(16), [DOCUMENT], ID],
    "challenge": [22, bytes(16)],
    "standing": [23, 4],
    "type_0": [0, 1],
    "type_19": [19, 1],
    "type_24": [24, 1],
    "rows_descend": [7, 1, [[ID] + PLACE, [KEY] + PLACE], False],
    "want_of_nothing": [8, 0, ID, [], 1],
}

CHARTER = msgpack.packb([1, 2, 1, None, {
    1: [1, [[ID, KEY]]], 2: [[ID, 1]], 5: 86400, 6: 1, 7: ID, 11: "ស្ពាន", 12: bytes(16)}])
STATEMENT = msgpack.packb([1, 1, 1, None, {1: [1, [KEY]], 2: ID, 3: [1, KEY]}])
NODES = msgpack.packb([1, 1, 2, ID, {
    4: bytes(16), 5: [[KEY, KEY, KEY, bytes(64)]], 6: [[KEY, 0, None]]}])

INVITATION = bytes(16 + 32 + 16) + b"\x71\0\0\0" + b"tokyo.example.org:7420"
CHECKSUM = hashlib.blake2b(b"\x12spean/invitation/1" + INVITATION, digest_size=16).digest()[:3]

# Any bytes: one document, heads content, an invitation. Scripts: see fuzz_statement.c; one step is
# what, then for a statement org, version to follow, parts, keys ..., then who signs.
BYTES = {
    "statement": msgpack.packb([STATEMENT, [[KEY, bytes(64)]]]),
    "nodes": msgpack.packb([NODES, [[KEY, bytes(64)]]]),
    "charter": msgpack.packb([CHARTER, [[KEY, bytes(64)]]]),
    "signatures_descend": msgpack.packb([STATEMENT, [[KEY, bytes(64)], [bytes(32), bytes(64)]]]),
    "heads": msgpack.packb([[NAME, 3, bytes(16)], [b"\x56" * 8, 4, bytes(16)]]),
    "invitation": b"SPEAN1:" + base64.b32encode(INVITATION + CHECKSUM).rstrip(b"="),
    "invitation_fields": bytes(16) + b"node.example.org:7420",
}

OPEN = bytes([0, 0, 0, 0x18, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1])      # Org 0: its first node.
CUT = bytes([0, 0, 0, 0x40, 0, 0, 0, 0, 3, 1, 0, 0, 0, 1])       # Cuts it at 3.
OPEN_MORE = bytes([0, 0, 0, 0x10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1])
RECOVER = bytes([0, 0, 1, 0x42, 1, 0, 0, 0, 1, 1, 0, 0, 0, 2])
MEMBER = bytes([1, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1])
REMOVE = bytes([1, 0, 2, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1])
FORKED = bytes([1, 1, 2, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1])
SCRIPTS = {
    "script_open": OPEN,
    "script_open_cut": OPEN + CUT + OPEN_MORE,
    "script_branches": OPEN + CUT + RECOVER + OPEN_MORE,
    "script_members": OPEN + MEMBER + REMOVE + MEMBER,
    "script_charter_forks": OPEN + MEMBER + FORKED + REMOVE,
    "script_changed_bit": bytes([0x80]) + OPEN[1:] + bytes([0, 1, 77, 3]) + OPEN,
}


# Events of a session: see happen() and talk() in fuzz_session.c. Peer 0 is a node of org 1.
UP = bytes([0, 0, 0])
HELLO = bytes([16, 0, 0, 0])
ANSWER = bytes([6, 0, 0])                   # The oldest question; nothing is lacking.
PUSH = bytes([16, 0, 7, 4, 1, 0, 2])        # Entries 1 to 3 of org 1's log.
STORE = bytes([3, 3])
COMMIT = bytes([11])
WANT = bytes([16, 0, 6, 0, 0, 0, 0, 255])   # Of our log, from the start.
REMOVE = bytes([13, 0x77, 1, 1, 0])         # Org 1; what it asked is answered before we notice.
LIVE = b"\0" + UP + HELLO + ANSWER
SESSIONS = {
    "push": LIVE + PUSH + STORE,
    "push_twice_before_it_is_stored": LIVE + PUSH + PUSH + STORE,
    "push_then_cut": LIVE + PUSH + bytes([12, 1, 0]) + STORE,
    "want": LIVE + COMMIT * 3 + WANT + ANSWER * 3,
    "removed_before_it_is_served": LIVE + COMMIT * 3 + WANT + REMOVE,
    "evidence": LIVE + bytes([16, 0, 10, 0x15]),
}


def write(folder, inputs):
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus", folder)
    os.makedirs(path, exist_ok=True)
    for name, data in inputs.items():
        with open(os.path.join(path, name), "wb") as file:
            file.write(data)


def main():
    write("message", {name: msgpack.packb(value) for name, value in MESSAGES.items()})
    write("run", {name: msgpack.packb(value) for name, value in RUNS.items()})
    write("run", PAIRS)
    write("session", SESSIONS)
    write("statement", {name: b"\0" + data for name, data in BYTES.items()})
    write("statement", {name: b"\1" + data for name, data in SCRIPTS.items()})


if __name__ == "__main__":
    main()
