"""tests/vectors/records.py - bodies, part keys, grants, erasures, changes, folded states."""

import histories
from world import sealer, some, vectors_of, wire

CONTENT_LENGTHS = [0, 1, 254, 255, 256, 271, 272, 511, 1000]
PADDED_LENGTHS = CONTENT_LENGTHS + [1023, 1024, 4095, 4096, 32767, 32768, 57343, 57344, 59391]


def sealed_vector(log, length):
    key, nonce = some(f"part key {length}"), some(f"nonce {length}", 24)
    content, seq = bytes([length & 255]) * length, length + 1
    record, part = some(f"record {length}", 16), 1 + length % 5
    tag = wire.part_tag(wire.key_proof(key, record, part), log.id)
    return {
        "log": log.id, "seq": seq, "key": key, "record": record, "part": part, "nonce": nonce,
        "tag": tag, "content": content,
        "body": wire.sealed_body(key, tag, nonce, log.id, seq, content),
    }


def partkey_vector(log, key, record, part):
    proof = wire.key_proof(key, record, part)
    return {
        "key": key, "record": record, "part": part, "log": log.id, "proof": proof,
        "commitment": wire.commitment(proof, log.id), "tag": wire.part_tag(proof, log.id),
    }


def bodies(world):
    key = some("part key")
    salt = some("salt", 16)
    record = some("record", 16)
    parts = [(record, 1), (record, 2), (some("other record", 16), 1), (record, 2**32 - 1),
             (record, 2**32 + 1), (record, 2**63 - 1), wire.NO_PART]
    return {
        "padded": [{"content": length, "padded": len(wire.pad(bytes(length)))}
                   for length in PADDED_LENGTHS],
        "public": [{"salt": salt, "content": content, "body": wire.public_body(salt, content)}
                   for content in (b"\xc0", b"content")],
        "sealed": [sealed_vector(world.log, length) for length in CONTENT_LENGTHS],
        "partkeys": [partkey_vector(log, key, record, part)
                     for log in (world.log, world.other_log) for record, part in parts],
    }


def receiver_rows(place, committed, receivers):
    return [{"party": party, "public": pair[0], "secret": pair[1], "pair_key": pair[2],
             "hint": wire.grant_hint(place, pair[2], party, committed)}
            for party, pair in receivers.items()]


def grant_vector(name, place, author, key, generation, domain, parties, terms):
    """parties: {party: Sealer}; author: the Sealer of the one who grants."""
    receivers = {party: (one.public, one.secret, author.pair(domain, one.public))
                 for party, one in parties.items()}
    pair_keys = {party: pair[2] for party, pair in receivers.items()}
    return {
        "name": name,
        "log": place.log, "seq": place.seq, "author": place.author, "nonce": place.nonce,
        "author_secret": author.secret, "author_public": author.public,
        "author_generation": generation, "key": key,
        "receivers": receiver_rows(place, wire.grant_commitment(place, key, terms), receivers),
        "content": wire.grant(place, generation, key, pair_keys, terms),
    }


def part_grant(world, name, part, generation, older, orgs, read=()):
    author = world.mekong
    key = some(f"part key {part} {generation}")
    record = wire.record_id(world.ledger, author.id, some("record random", 16))
    place = wire.GrantPlace(world.log.id, 40 + generation, author.id, some("nonce " + name, 24))
    audience = sorted(org.id for org in orgs)
    terms = wire.part_terms(record, part, generation, author.id, audience, older, read)
    found = grant_vector(name, place, author.sealing, key, 1, "spean/grant-pair/1",
                         {org.id: org.sealing for org in orgs}, terms)
    found["terms"] = {"record": record, "part": part, "generation": generation,
                      "owner": author.id, "audience": audience}
    found["older"] = [{"generation": number, "key": older[number]} for number in sorted(older)]
    found["context"] = [dict(zip(("log", "seq", "entry"), row)) for row in read]
    return found


def orgkey_grant(world):
    org = world.mekong
    author, secrets = org.nodes[0].sealing, {1: org.sealing.secret}
    secrets[2] = sealer("mekong organisation sealing 2").secret
    place = wire.GrantPlace(world.log.id, 2, author.public, some("nonce of an org-key grant", 24))
    found = grant_vector("two nodes, two generations", place, author, some("wrapping key"), 0,
                         "spean/orgkey-pair/1",
                         {node.sealing.public: node.sealing for node in org.nodes},
                         wire.orgkey_terms(2, secrets))
    found["generation"] = 2
    found["secrets"] = [{"generation": number, "key": secrets[number]} for number in secrets]
    return found


def refused_grants():
    def refused(boxes, nonce=bytes(24), committed=bytes(32), generation=1):
        return wire.pack([committed, nonce, generation, bytes(40), boxes])

    box, other = [bytes(8), bytes(48)], [bytes(8), b"\1" * 48]
    return {
        "no boxes": refused([]),
        "one hint twice": refused([box, other]),
        "hints that descend": refused([[b"\1" * 8, bytes(48)], box]),
        "a box of 47 bytes": refused([[bytes(8), bytes(47)]]),
        "a nonce of 12 bytes": refused([box], bytes(12)),
        "a commitment of 16 bytes": refused([box], committed=bytes(16)),
        "author generation 1,025": refused([box], generation=1025),
        "65 boxes": refused([[wire.u64(at), bytes(48)] for at in range(65)]),
    }


def refused_terms(world):
    """Grants that open, and whose content under the seal is not in the form of P8.3."""
    author, record = world.mekong, bytes(16)
    key, orgs = some("part key of refused terms"), sorted([world.mekong.id, world.hanoi.id])
    row, other = [bytes(8), 1, bytes(8)], [b"\1" * 8, 1, bytes(8)]
    many = [[wire.u64(at), 1, bytes(8)] for at in range(257)]
    values = {
        "six elements": [record, 1, 2, author.id, orgs, []],
        "generation 0": [record, 1, 0, author.id, orgs, [], []],
        "generation 1,025": [record, 1, 1025, author.id, orgs, [], []],
        "an audience of nobody": [record, 1, 1, author.id, [], [], []],
        "an audience that descends": [record, 1, 1, author.id, orgs[::-1], [], []],
        "an older key of its own generation": [record, 1, 2, author.id, orgs, [[2, key]], []],
        "generation 1 with a context": [record, 1, 1, author.id, orgs, [], [row]],
        "one log twice": [record, 1, 2, author.id, orgs, [], [row, row]],
        "rows that descend": [record, 1, 2, author.id, orgs, [], [other, row]],
        "a row of seq 0": [record, 1, 2, author.id, orgs, [], [[bytes(8), 0, bytes(8)]]],
        "a row of two": [record, 1, 2, author.id, orgs, [], [row[:2]]],
        "257 rows": [record, 1, 2, author.id, orgs, [], many],
    }
    place = wire.GrantPlace(world.log.id, 7, author.id, some("nonce of refused terms", 24))
    pair_key = author.sealing.pair("spean/grant-pair/1", author.sealing.public)
    return [{"name": name, "log": place.log, "seq": place.seq, "author": place.author, "key": key,
             "content": wire.grant(place, 1, key, {author.id: pair_key}, value)}
            for name, value in values.items()]


def grants(world):
    three = [world.mekong, world.hanoi, world.tokyo]
    older = {number: some(f"part key 3 {number}") for number in (1, 2, 300)}
    read = wire.context({world.other_log.id: (9, some("hanoi entry 9")),
                         world.third_log.id: (2**32, some("tokyo entry far"))})
    return {
        "part": [
            part_grant(world, "three organisations", 2, 1, {}, three),
            part_grant(world, "with older generations", 3, 301, older, three),
            part_grant(world, "the author alone", 1, 1, {}, three[:1]),
            part_grant(world, "a new generation that leaves one out", 2, 2, {}, three[:2], read),
        ],
        "orgkey": [orgkey_grant(world)],
        "refused": vectors_of(refused_grants()),
        "refused_terms": refused_terms(world),
    }


def refused_erasures():
    record, proof = bytes(16), bytes(32)
    return {
        "of nothing": wire.pack([]),
        "form 3": wire.pack([3, record, 1, [proof], None]),
        "no proofs": wire.erasure_of_part(record, 1, [], None),
        "1,025 proofs": wire.erasure_of_part(record, 1, [proof] * 1025, None),
        "a proof of 16 bytes": wire.erasure_of_part(record, 1, [record], None),
        "a reason that is text": wire.erasure_of_part(record, 1, [proof], "text"),
        "no entries": wire.erasure_of_entries([], None),
        "an entry of seq 0": wire.erasure_of_entries([(proof, 0, proof)], None),
    }


def erasures(world):
    record = some("record", 16)
    proofs = [wire.key_proof(some(f"part key 3 {number}"), record, 3) for number in (1, 2, 3)]
    places = [(world.log.id, 7, some("entry 7")), (world.other_log.id, 2**32, some("entry far"))]
    reason = some("a sealed reason", 60)
    named = [dict(zip(("log", "seq", "entry"), place)) for place in places]
    return {
        "parts": [{"record": record, "part": 3, "proofs": proofs[:count], "reason": why,
                   "content": wire.erasure_of_part(record, 3, proofs[:count], why)}
                  for count, why in ((1, None), (3, reason))],
        "entries": [{"places": named[:count], "reason": why,
                     "content": wire.erasure_of_entries(places[:count], why)}
                    for count, why in ((1, None), (2, reason))],
        "refused": vectors_of(refused_erasures()),
    }


def change_vector(name, kind, record, part, actor, operations, create=None, context=()):
    made = create and {"random": create[0], "fixed": wire.pack(create[1])}
    return {
        "name": name, "type": kind, "record": record, "part": part, "schema": 1,
        "actor": actor, "create": made,
        "operations": [{"field": row[0], "kind": row[1], "verb": row[2], "value": wire.pack(row[3])}
                       for row in operations],
        "context": [dict(zip(("log", "seq", "entry"), row)) for row in context],
        "content": wire.change(kind, record, part, actor, operations, create, context),
    }


KINDS = {
    "writes a value": [[16, wire.VALUE, wire.WRITE, {"en": "Bridge", "km": "ស្ពាន"}]],
    "clears a value": [[16, wire.VALUE, wire.WRITE, None]],
    "adds to a set and removes": [[29, wire.SET, wire.ADD, "km"], [29, wire.SET, wire.REMOVE, "vi"]],
    "appends to a list twice": [[4001, wire.LIST, wire.APPEND, {2: [2026, 1]}],
                                [4001, wire.LIST, wire.APPEND, {2: [2026, 1]}]],
    "strikes a list item": [[4001, wire.LIST, wire.STRIKE, [some("log", 8), 2**32, 255]]],
    "writes what the strictest of counts": [[40, wire.STRICTEST, wire.WRITE, {1: False, 2: True}]],
    "sets once for ever": [[17, wire.ONE_WAY, wire.WRITE, {1: [2026, 1, 31]}]],
    "an operation of a kind that is not known": [[999, 77, 1000, [1, [-1], {1: b"x"}]]],
    "nothing": [],
}


def refused_changes(record):
    value, strike = [16, 1, 0, 1], [50, 3, 0, [bytes(8), 1, 0]]
    row, later = [bytes(8), 1, bytes(8)], [b"\1" + bytes(7), 1, bytes(8)]

    def refused(operations=(), context=(), actor="anna", create=None):
        return wire.change(1, record, 0, actor, operations, create, context)

    return {
        "a value written twice": refused([value, value]),
        "an element added and removed": refused([[29, 2, 1, "km"], [29, 2, 0, "km"]]),
        "a verb that a value does not have": refused([[16, 1, 1, 1]]),
        "a verb that a set does not have": refused([[29, 2, 2, "km"]]),
        "a strike that names nothing": refused([[50, 3, 0, 1]]),
        "a strike of seq 0": refused([[50, 3, 0, [bytes(8), 0, 0]]]),
        "a strike with four parts": refused([[50, 3, 0, strike[3] + [0]]]),
        "an operation with five parts": refused([value + [0]]),
        "rows that descend": refused([], [later, row]),
        "a row twice": refused([], [row, row]),
        "a row of seq 0": refused([], [[bytes(8), 0, bytes(8)]]),
        "a name of 7 bytes in a row": refused([], [[bytes(7), 1, bytes(8)]]),
        "an actor of 33 bytes": refused(actor="a" * 33),
        "15 random bytes": refused(create=(bytes(15), {})),
        "fixed fields that are no map": refused(create=(bytes(16), [])),
        "257 operations": refused([[50, 3, 1, 0]] * 257),
        "257 rows": refused([], [[wire.u64(at), 1, bytes(8)] for at in range(257)]),
    }


def changes(world):
    random = some("record random", 16)
    record = wire.record_id(world.ledger, world.mekong.id, random)
    create = (random, {1: world.mekong.id, 3: "warm", 300: [1, 2]})
    context = wire.context({
        world.other_log.id: (12, some("entry 12")), world.third_log.id: (2**40, some("entry far")),
    })
    value = [[16, wire.VALUE, wire.WRITE, "open"]]
    found = [change_vector(name, 2, record, 1, "anna", rows) for name, rows in KINDS.items()]
    found += [
        change_vector("creates a record", 4, record, 1, "sok", value, create),
        change_vector("creates a record without fixed fields", 2, record, 1, "", [], (random, {})),
        change_vector("has a context", 4, record, 3, "a" * 32, value, None, context),
        change_vector("of a type, part and number that are not known", 2**32, record, 2**16, "x",
                      [[2**33, wire.VALUE, wire.WRITE, 2**64 - 1]]),
    ]
    return {
        "records": [{"ledger": world.ledger, "org": org.id, "random": random,
                     "record": wire.record_id(world.ledger, org.id, random)}
                    for org in (world.mekong, world.hanoi)],
        "changes": found,
        "refused": vectors_of(refused_changes(record)),
    }


def states(world):
    return {"histories": [make(world) for make in histories.ALL]}
