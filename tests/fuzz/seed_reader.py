#!/usr/bin/python3
"""tests/fuzz/seed_reader.py - write the first inputs of tests/fuzz/corpus/reader.

Canonical values come from Debian's msgpack; refused ones are written out by hand.
"""

import os

import msgpack

KHMER = "ស្ពាន"

CANONICAL = {
    "nil": None,
    "true": True,
    "uint_0": 0,
    "uint_fixed_max": 127,
    "uint8_min": 128,
    "uint16_min": 256,
    "uint32_min": 1 << 16,
    "uint64_min": 1 << 32,
    "uint64_max": (1 << 64) - 1,
    "negative_1": -1,
    "negative_fixed_min": -32,
    "int8_max": -33,
    "int16_max": -129,
    "int32_max": -32769,
    "int64_max": -(1 << 31) - 1,
    "int64_min": -(1 << 63),
    "bin_empty": b"",
    "bin8": bytes(32),
    "bin16": bytes(256),
    "str_empty": "",
    "str_khmer": KHMER,
    "str8": "a" * 32,
    "str16": KHMER * 20,
    "array_empty": [],
    "array16": list(range(16)),
    "map_uint_keys": {0: None, 1: [True], 200: {"a": b"x"}},
    "map_str_keys": {"": 0, "a": 1, "aa": 2, "b": 3},
    "map16": {key: key for key in range(16)},
    "depth_8": [[[[[[[[]]]]]]]],
    "entry_header": [1, 7, bytes(32), 1700000000, 2, 1, None, 300, bytes(32)],
}

REFUSED = {
    "empty": "",
    "long_uint8": "cc7f",
    "long_uint16": "cd00ff",
    "long_uint32": "ce0000ffff",
    "long_uint64": "cf00000000ffffffff",
    "signed_form_of_positive": "d00a",
    "long_int8": "d0e0",
    "long_int16": "d1ff80",
    "long_int32": "d2ffff8000",
    "long_int64": "d3ffffffff80000000",
    "long_str8": "d90161",
    "long_str16": "da000161",
    "long_bin16": "c50001aa",
    "long_bin32": "c600000001aa",
    "long_array16": "dc0001c0",
    "long_map16": "de000100c0",
    "float32": "ca3f800000",
    "float64": "cb3ff0000000000000",
    "fixext1": "d40100",
    "ext8": "c70101ff",
    "never_used": "c1",
    "array_of_4_billion": "ddffffffff",
    "array_that_asks_for_96_gb": "ddff000000",
    "map_of_4_billion": "dfffffffff",
    "bin_of_4_gb": "c6ffffffff00",
    "str_of_4_gb": "dbffffffff61",
    "map_keys_descend": "820100" "0000",
    "map_key_twice": "820000" "0000",
    "map_str_keys_descend": "82a16200" "a16100",
    "map_keys_mixed": "820000" "a16100",
    "map_key_nil": "81c000",
    "map_key_bin": "81c4016100",
    "depth_9": "919191919191919190",
    "str_overlong_slash": "a2c0af",
    "str_surrogate": "a3eda080",
    "str_beyond_unicode": "a4f4908080",
    "str_cut_in_character": "a2e19e",
    "two_values": "0000",
    "cut_bin": "c42000",
    "cut_uint64": "cf00000001",
}


def main():
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus", "reader")
    os.makedirs(folder, exist_ok=True)
    inputs = {name: msgpack.packb(value) for name, value in CANONICAL.items()}
    inputs.update({name: bytes.fromhex(text) for name, text in REFUSED.items()})
    for name, data in inputs.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)


if __name__ == "__main__":
    main()
