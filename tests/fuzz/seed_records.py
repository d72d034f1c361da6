#!/usr/bin/python3
"""tests/fuzz/seed_records.py - write the first inputs of corpus/change, corpus/part, corpus/grant.

Written from docs/PROTOCOL.md, sections 8 to 10, with Debian's msgpack.
"""

import os

import msgpack

RECORD = b"\x11" + bytes(15)
ID = b"\xaa" * 32
LOG = bytes(7) + b"\x05"
OTHER = bytes(7) + b"\x09"
DOT = [LOG, 3, 0]
CONTEXT = [[OTHER, 4, b"\xbb" * 8]]


def change(operations, context=(), create=None):
    return [2, RECORD, 1, 1, "k", create, operations, list(context)]


def state(fields, unknown=(), owner=None, fixed=None):
    return [2, RECORD, 1, owner, fixed, fields, list(unknown)]


def write(dot, value):
    return [dot, 9, ID, ID, "k", value]


CHANGES = {
    "empty": change([]),
    "create": change([[16, 1, 0, "x"]], create=[bytes(16), {1: ID, 2: {1: [True]}}]),
    "every_kind": change([[16, 1, 0, None], [17, 2, 1, "a"], [17, 2, 0, "b"], [18, 3, 1, {1: 2}],
                          [18, 3, 0, DOT], [19, 4, 0, False], [20, 5, 0, 7], [21, 6, 9, [1]]],
                         CONTEXT),
    "strike_of_itself": change([[18, 3, 1, 1], [18, 3, 0, [bytes(7) + b"\x01", 2, 0]]]),
    "value_twice": change([[16, 1, 0, 1], [16, 1, 0, 2]]),
    "row_twice": change([], CONTEXT * 2),
    "deep": change([[16, 1, 0, [[[[[]]]]]]]),
    "too_deep": change([[16, 1, 0, [[[[[[]]]]]]]]),
}

STATES = {
    "empty": state([]),
    "created": state([], owner=ID, fixed={1: ID}),
    "value": state([[16, 1, [[[LOG, 2], [OTHER, 4]], [write(DOT, 7)]]]]),
    "set": state([[17, 2, [["a", [[LOG, 3]], []], ["b", [], [DOT]]]]]),
    "list": state([[18, 3, [[[DOT, 9, ID, ID, "k", True, 7]], [[LOG, 4, 1]]]]]),
    "one_way": state([[20, 5, [[[LOG, 3]], [write(DOT, 7)]]]]),
    "unknown": state([], [[DOT, [21, 6, 9, [1]]]]),
    "covered": state([[16, 1, [[[LOG, 3]], [write(DOT, 7)]]]]),
    "strike_of_held": state([[18, 3, [[[DOT, 9, ID, ID, "k", True, 7]], [DOT]]]]),
}

GRANTS = {
    "grant": [ID, bytes(24), 1, bytes(64), [[bytes(8), bytes(48)], [b"\x01" * 8, bytes(48)]]],
    "boxes_descend": [ID, bytes(24), 1, bytes(64),
                      [[b"\x01" * 8, bytes(48)], [bytes(8), bytes(48)]]],
    "erasure_of_part": [1, RECORD, 2, [ID, bytes(32)], b"r"],
    "erasure_of_entries": [2, [[ID, 1, ID], [ID, 1 << 40, ID]], None],
    "erasure_of_nothing": [2, [], None],
}


def main():
    corpus = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")
    for folder, seeds in (("change", CHANGES), ("part", STATES), ("grant", GRANTS)):
        os.makedirs(os.path.join(corpus, folder), exist_ok=True)
        for name, value in seeds.items():
            packed = msgpack.packb(value, use_bin_type=True)
            with open(os.path.join(corpus, folder, name), "wb") as seed:
                seed.write(packed)


if __name__ == "__main__":
    main()
