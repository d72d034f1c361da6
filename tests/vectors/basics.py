"""tests/vectors/basics.py - hashes, signatures, canonical msgpack, the schema, joining."""

from world import NOON, schema_hash, schema_rows, sealer, signer, some, vectors_of, wire

HASH_DOMAINS = [
    "spean/statement/1", "spean/charter/1", "spean/recovery/1", "spean/log/1", "spean/entry/1",
    "spean/body/1", "spean/key-proof/1", "spean/commitment/1", "spean/hint/1", "spean/record/1",
    "spean/state/1", "spean/schema/1", "spean/consent-terms/1", "spean/authority/1",
    "spean/bucket/1", "spean/frontier/1", "spean/invitation/1", "spean/digits/1",
]
SIGN_DOMAINS = ["spean/statement-sign/1", "spean/charter-sign/1", "spean/node/1", "spean/commit/1"]
PAIR_DOMAINS = ["spean/grant-pair/1", "spean/orgkey-pair/1"]


def hash_vector(domain, message):
    return {
        "domain": domain,
        "message": message,
        "h": wire.hash32(domain, message),
        "h16": wire.hash16(domain, message),
        "h8": wire.hash8(domain, message),
    }


def sign_vector(domain, name):
    key, message = signer(name), some(name + " message", 40)
    return {
        "domain": domain,
        "seed": key.seed,
        "public": key.public,
        "message": message,
        "signature": key.sign(domain, message),
    }


def pair_vector(domain, ours, theirs):
    return {
        "domain": domain,
        "secret": ours.secret,
        "public": ours.public,
        "other_secret": theirs.secret,
        "other_public": theirs.public,
        "pair_key": ours.pair(domain, theirs.public),
    }


def hashes(_):
    key, nonce = some("aead key"), some("aead nonce", 24)
    associated, plain = b"associated", b"plain text"
    mac_key = some("mac key", 16)
    one, other = sealer("pair one"), sealer("pair other")
    return {
        "hashes": [hash_vector(domain, b"message") for domain in HASH_DOMAINS]
        + [hash_vector("spean/log/1", b""), hash_vector("spean/log/1", bytes(300))],
        "macs": [{
            "domain": "spean/join/1",
            "key": mac_key,
            "message": b"message",
            "mac": wire.mac32(mac_key, "spean/join/1", b"message"),
        }],
        "signatures": [sign_vector(domain, "signature " + domain) for domain in SIGN_DOMAINS],
        "pairs": [pair_vector(domain, one, other) for domain in PAIR_DOMAINS]
        + [pair_vector("spean/grant-pair/1", one, one)],
        "seals": [{
            "key": key,
            "nonce": nonce,
            "associated": text,
            "plain": plain[:length],
            "sealed": wire.seal(key, nonce, text, plain[:length]),
        } for text, length in ((associated, 10), (b"", 10), (associated, 0))],
    }


def tokens(value):
    """Say in which order of calls a writer writes value."""
    if isinstance(value, dict):
        inner = [token for pair in wire.ordered(value).items() for item in pair
                 for token in tokens(item)]
        return [["map", str(len(value))]] + inner
    if isinstance(value, list):
        return [["array", str(len(value))]] + [token for item in value for token in tokens(item)]
    if isinstance(value, bool):
        return [["bool", str(value).lower()]]
    if isinstance(value, int):
        return [["uint" if value >= 0 else "int", str(value)]]
    if isinstance(value, bytes):
        return [["bin", value.hex()]]
    return [["nil", ""]] if value is None else [["str", value]]


SAMPLES = [
    None, False, True, 0, 127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63, 2**64 - 1,
    -1, -32, -33, -128, -129, -32768, -32769, -(2**31), -(2**31) - 1, -(2**63),
    b"", bytes(255), bytes(256), "", "a" * 31, "a" * 32, "a" * 255, "a" * 256, "ស្ពាន",
    [], [None] * 15, [None] * 16, {}, {number: None for number in range(16)},
    {1: [{2: b"x"}], 200: -7, 100000: "y"}, {"": 0, "a": 1, "aa": 2, "b": 3},
    [[[[[[[[]]]]]]]],
]

REFUSED = {
    "nothing": b"",
    "two values": b"\x01\x02",
    "1 in two bytes": b"\xcc\x01",
    "255 in three bytes": b"\xcd\x00\xff",
    "65535 in five bytes": b"\xce\x00\x00\xff\xff",
    "1 in nine bytes": b"\xcf" + bytes(7) + b"\x01",
    "1 in a signed form": b"\xd0\x01",
    "-1 in two bytes": b"\xd0\xff",
    "-128 in three bytes": b"\xd1\xff\x80",
    "half precision": b"\xca" + bytes(4),
    "double precision": b"\xcb" + bytes(8),
    "extension": b"\xd4\x01\x00",
    "never used": b"\xc1",
    "bin with a long length": b"\xc5\x00\x01a",
    "str with a long length": b"\xd9\x01a",
    "array with a long count": b"\xdc\x00\x01\xc0",
    "map with a long count": b"\xde\x00\x01\x01\xc0",
    "text with NUL": b"\xa1\x00",
    "text that is no UTF-8": b"\xa1\xff",
    "text with an overlong form": b"\xa2\xc0\x80",
    "text with a surrogate": b"\xa3\xed\xa0\x80",
    "keys that descend": b"\x82\x02\xc0\x01\xc0",
    "a key twice": b"\x82\x01\xc0\x01\xc0",
    "keys of two kinds": b"\x82\x01\xc0\xa1a\xc0",
    "a negative key": b"\x81\xff\xc0",
    "a key that is bin": b"\x81\xc4\x01a\xc0",
    "a key that is an array": b"\x81\x90\xc0",
    "str keys, the prefix last": b"\x82\xa2aa\xc0\xa1a\xc0",
    "nine deep": b"\x91" * 8 + b"\x90",
    "an array that ends early": b"\x92\x01",
}


def msgpack_samples(_):
    return {
        "values": [{"tokens": tokens(value), "encoded": wire.pack(value)} for value in SAMPLES],
        "refused": vectors_of(REFUSED),
    }


TERMS = {
    1: "consent",
    2: ["refer"],
    3: [{1: some("tokyo")}, {2: "shelter"}],
    4: ["identity", "health"],
    8: {1: "notice", 2: "v2", 3: "km"},
    10: [2026, 1, 1],
    11: [2026, 12],
}


def schema(_):
    record, terms = some("consent record", 16), wire.pack(TERMS)
    return {
        "fields": schema_rows(),
        "encoded": wire.pack(schema_rows()),
        "hash": schema_hash(),
        "consent_terms": {
            "consent": record,
            "terms": terms,
            "hash": wire.hash32("spean/consent-terms/1", record + terms),
        },
    }


def joining(world):
    inviter = world.mekong.nodes[0].transport.public
    newcomer = world.tokyo.nodes[0].transport.public
    statement, handle = world.tokyo.versions[-1].id, world.handle
    invitations, joins = [], []
    for endpoint in ("abc:1", "tokyo.example.org:7420", "a" * 29 + ":65535"):
        secret, expires = some("invitation " + endpoint, 16), NOON + 3 * 86400
        text = wire.invitation(handle, inviter, secret, expires, endpoint)
        invitations.append({
            "handle": handle, "transport": inviter, "secret": secret, "expires": expires,
            "endpoint": endpoint, "text": text,
        })
    for name in ("one", "two", "three"):
        secret, fresh = some("invitation secret " + name, 16), some("fresh " + name, 16)
        known = (handle, inviter, newcomer, statement)
        joins.append({
            "handle": handle, "inviter": inviter, "newcomer": newcomer, "statement": statement,
            "secret": secret, "fresh": fresh, "mac": wire.join_mac(secret, *known),
            "digits": wire.join_digits(*known, fresh),
            "letter_digits": wire.join_letter_digits(*known, fresh),
        })
    node = world.mekong.nodes[1]
    org = world.mekong.id
    signing, sealing, transport, acceptance = node.row(org, handle)
    for endpoint in ("abc:1", "a" * 29 + ":65535"):
        secret, expires = some("node invitation " + endpoint, 16), NOON + 3 * 86400
        text = wire.node_invitation(handle, inviter, secret, expires, org, endpoint)
        invitations.append({
            "handle": handle, "transport": inviter, "secret": secret, "expires": expires,
            "org": org, "endpoint": endpoint, "text": text,
        })
    named = wire.join_node(org, signing, sealing, acceptance)
    known = (handle, inviter, transport, named)
    secret, fresh = some("node invitation secret", 16), some("node fresh", 16)
    nodes = [{
        "org": org, "signing": signing, "sealing": sealing, "acceptance": acceptance,
        "hash": named, "mac": wire.join_mac(secret, *known), "secret": secret, "handle": handle,
        "inviter": inviter, "newcomer": transport, "fresh": fresh,
        "digits": wire.join_digits(*known, fresh),
    }]
    return {"invitations": invitations, "joins": joins, "nodes": nodes}
