#!/usr/bin/python3
"""tests/fuzz/seed_others.py - write the first inputs of corpus/entry, value, request, typed, file.

Written from docs/PROTOCOL.md, docs/SCHEMA.md and docs/API.md, with Debian's msgpack. The first byte
of an input chooses what the rest is taken for: its place in the list of checks of the target.
"""

import json
import os

import msgpack

ID = b"\xaa" * 32
RECORD = b"\x11" * 16
DOT = [bytes(7) + b"\x05", 3, 0]

# What a value is taken for; fields of the schema come behind these.
TERMS, CONTACT, STEP, ENDPOINT, FIELDS = range(5)


def chosen(check, rest):
    return bytes([check]) + rest


def packed(check, value):
    return chosen(check, msgpack.packb(value, use_bin_type=True))


def header(tag):
    return [1, 7, ID, 1_790_000_000, 1, 1, tag, 296, ID]


ENTRY = {
    "header": packed(0, header(b"\x22" * 16)),
    "header_without_tag": packed(0, header(None)),
    "header_later": packed(0, [2] + header(None)[1:] + ["more"]),
    "body": chosen(1, bytes(16) + b"content"),
    "sealed": chosen(2, bytes(24 + 16 + 256)),
    "padded": chosen(3, b"content" + b"\x80" + bytes(248)),
    "dot": packed(4, DOT),
}

TERMS_FULL = {
    1: "consent", 2: ["referral"], 3: [{1: ID}, {2: "ngo"}, {3: RECORD}], 4: ["identity"],
    5: [{2: "police"}], 10: "2026-11-22", 11: "2027-11-22",
}
VALUE = {
    "terms": packed(TERMS, TERMS_FULL),
    "terms_empty": packed(TERMS, {}),
    "contact": packed(CONTACT, {1: True, 2: False}),
    "step": packed(STEP, {1: "accept", 2: [DOT], 3: 1_790_000_000}),
    "endpoint": packed(ENDPOINT, {1: ID, 2: "tcp://relay.example.org:7710", 3: "relay", 4: "hub"}),
}
for number in range(0, 160, 16):
    VALUE[f"text_{number}"] = packed(FIELDS + number, {"en": "text", "km": "អត្ថបទ"})
    VALUE[f"code_{number}"] = packed(FIELDS + number + 1, "active")
    VALUE[f"date_{number}"] = packed(FIELDS + number + 2, "2026-11-22")
    VALUE[f"map_{number}"] = packed(FIELDS + number + 3, {1: "phone", 2: "+855 12 345 678"})
    VALUE[f"cost_{number}"] = packed(FIELDS + number + 4, {1: "visa", 2: [123456, "USD"]})
    VALUE[f"bin_{number}"] = packed(FIELDS + number + 5, ID)
    VALUE[f"array_{number}"] = packed(FIELDS + number + 6, ["a", "b", True, None, -5, 1 << 40])
    VALUE[f"number_{number}"] = packed(FIELDS + number + 7, 7)

EDIT = {
    "set": {"status": "active", "narrative": {"en": "text"}, "opened_on": "2026-11-22",
            "names": {"en": "Agency"}, "country": "KH", "birth_date": "1990-01"},
    "add": {"names": [{"full": "Sok Dara", "script": "Latn"}], "citizenship": ["KH"],
            "aliases": [{"en": "other"}]},
    "append": {"contacts": [{"channel": "phone", "value": "+855 12 345 678"}],
               "costs": [{"category": "visa", "amount": {"minor": 1, "currency": "USD"}}]},
    "remove": {"languages": [{"code": "km"}]},
    "strike": {"contacts": ["0000000000000005-3-0"]},
}
REQUEST = {
    "query": chosen(0, b"limit=10&after=abc%20def&type=case"),
    "query_broken": chosen(0, b"limit=%zz&&"),
    "path": chosen(1, b"/v1/agencies/0123456789abcdef0123456789abcdef"),
    "path_escaped": chosen(1, b"/v1/cases/KH-2611-0317-7%2f"),
    "path_long": chosen(1, b"/v1/referrals/R-58Q2/accept/and/more/of/it"),
    "edit": chosen(2, json.dumps(EDIT).encode()),
    "edit_set": chosen(2, json.dumps({"set": EDIT["set"]}).encode()),
    "edit_append": chosen(2, json.dumps({"append": EDIT["append"]}).encode()),
    "edit_strike": chosen(2, json.dumps({"strike": EDIT["strike"]}).encode()),
    "json_deep": chosen(2, b'{"a":' * 40 + b"1" + b"}" * 40),
}

TYPED = {
    "caseid": chosen(0, b"KH-2611-0317-7"),
    "caseid_spaced": chosen(0, b" kh 2611 0317 7 "),
    "referral": chosen(1, b"R-58Q2"),
    "referral_confused": chosen(1, b"r-OIL1uo"),
    "id_hex": chosen(2, b"7f3a-91c4"),
    "id_record": chosen(2, b"R-58Q2"),
    "id_case": chosen(2, b"KH-2611-0317-7"),
    "when": chosen(3, b"2026-11-22T09:50:53Z"),
    "time": chosen(4, b"2026-11-22 09:50"),
    "span": chosen(4, b"3d"),
    "item": chosen(5, b"0000000000000005-3-0"),
    "hex": chosen(6, b"00ff10"),
    "base32": chosen(6, b"58Q20000"),
    "words": chosen(7, b"abandon " * 23 + b"art"),
    "search": chosen(8, "Nguyễn Thị Đào".encode()),
    "search_khmer": chosen(8, "សុខ\u200bដារ៉ា".encode()),
    "search_kana": chosen(8, "マリア・サントス ﾏﾘｱ".encode()),
    "words_cut": chosen(7, b"aban " * 23 + b"art"),
}

PACKAGE = [1, [2, bytes(24), bytes(48)], bytes(24), bytes(112)]
PASSPHRASE = [1, [1, 3, 256, bytes(16), bytes(24), bytes(48)], bytes(24), bytes(112)]
KEY_FILE = (b"spean admin key, version 1: keep it, and its passphrase, apart from the computer\n")
CASES = [{"_id": 1, "HTCDS_ID": "x", "prs_FirstName": "Dara", "prs_DateOfBirth": "1990-01-01"}]
FILE = {
    "config": chosen(0, b"# node\nlisten = *:7710\nmap_gib = 4\nlog_level = debug ; loud\ndial=off\n"),
    "config_unknown": chosen(0, b"listn = *:1\n"),
    "config_section": chosen(0, b"[node]\nlisten = *:7710\n"),
    "answers": chosen(1, b"# prepared\nproceed: yes\nconfirm:  Name of it \n"),
    "answers_at": chosen(1, b"proceed: @/nonexistent\nconfirm: @@home\n"),
    "adminkey": chosen(2, KEY_FILE + msgpack.packb(PACKAGE, use_bin_type=True)),
    "package": packed(3, PACKAGE),
    "package_passphrase": packed(3, PASSPHRASE),
    "sealing": chosen(4, b"content"),
    "cases_csv": chosen(5, b"prs_FirstName,prs_DateOfBirth\nDara,1990-01-01\n\"a\nb\",x\n"),
    "cases_json": chosen(5, json.dumps(CASES).encode()),
    "cases_primero": chosen(5, json.dumps({"data": [{"id": "1", "name": "Dara"}]}).encode()),
    "agencies": chosen(6, b"id,name\n1,Help\n\0id,organization_id,name\n2,1,Aid\n\0"
                          b"id,organization_id,number\n3,1,+855 12\n"),
    "cases_oscar": chosen(5, json.dumps([{"global_id": "1", "given_name": "Dara"}]).encode()),
}


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    for name, inputs in {"entry": ENTRY, "value": VALUE, "request": REQUEST, "typed": TYPED,
                         "file": FILE}.items():
        folder = os.path.join(here, "corpus", name)
        os.makedirs(folder, exist_ok=True)
        for seed, content in inputs.items():
            with open(os.path.join(folder, seed), "wb") as file:
                file.write(content)


if __name__ == "__main__":
    main()
