"""tests/vectors/messages.py - every session message (P13.1)."""

from world import NOON, some, vectors_of, wire


def place(seq, name):
    return (seq, some(name))


def rows_words(rows):
    return [{"log": log, "seq": rows[log][0], "entry": rows[log][1]} for log in sorted(rows)]


def titles_words(titles):
    return [{"version": version, "id": own} for version, own in titles]


def opening(world):
    node = world.mekong.nodes[0].signing.public
    known = (world.handle, world.mekong.id, node, some("authority"), some("frontier"), NOON)
    words = dict(zip(("handle", "org", "signing", "authority", "frontier", "time"), known))
    found = []
    for versions, features in (((1, 1), []), ((1, 1), [1, 300])):
        frame = wire.hello(*known, versions, features)
        found.append(dict(words, type=wire.HELLO, lowest=versions[0], highest=versions[1],
                          features=features, frame=frame))
    for rule, text in ((1301, "unknown message"), (0, "")):
        found.append({"type": wire.REFUSE, "rule": rule, "text": text,
                      "frame": wire.message(wire.REFUSE, rule, text)})
    return found


def document_messages(world):
    charter = [(8, world.charters[-1].id)]
    orgs = {world.mekong.id: [(4, one.id) for one in sorted(world.mekong.versions[3:5],
                                                            key=lambda one: one.id)],
            world.tokyo.id: [(2, world.tokyo.versions[1].id)]}
    documents = [one.encoded for one in world.charters[:2]]
    found = []
    for heads, statements, more in (([], {}, False), (charter, orgs, True)):
        found.append({
            "type": wire.TITLES, "charter": titles_words(heads), "more": more,
            "statements": [{"org": org, "heads": titles_words(statements[org])}
                           for org in sorted(statements)],
            "frame": wire.titles(heads, statements, more),
        })
    for some_documents, more in (([], False), (documents, True)):
        found.append({"type": wire.DOCUMENTS, "documents": some_documents, "more": more,
                      "frame": wire.message(wire.DOCUMENTS, some_documents, more)})
    found.append({"type": wire.EVIDENCE, "evidence": b"\x90",
                  "frame": wire.message(wire.EVIDENCE, b"\x90")})
    found.append({"type": wire.OFFER, "documents": documents,
                  "frame": wire.message(wire.OFFER, documents)})
    return found


def frontier_messages(_):
    rows = {some(f"log {at}"): (1 + at, some(f"entry {at}")) for at in range(12)}
    excluded = [some("excluded one", 8), some("excluded other", 8)]
    buckets = sorted({log[0] >> 2 for log in rows})
    found = []
    for names in ([], excluded):
        found.append({"type": wire.DIGEST, "excluded": sorted(names),
                      "buckets": wire.bucket_digests(rows), "frame": wire.digest(names, rows)})
    for numbers, held, more in (([], {}, False), (buckets, rows, True), ([0, 63], {}, False)):
        found.append({"type": wire.ROWS, "buckets": numbers, "rows": rows_words(held), "more": more,
                      "frame": wire.rows_message(numbers, held, more)})
    for kind in (wire.HEAD, wire.HELD):
        log, (seq, entry) = some("log"), place(2**32, "entry")
        found.append({"type": kind, "log": log, "seq": seq, "entry": entry,
                      "frame": wire.message(kind, log, seq, entry)})
    found.append({"type": wire.SYNCED, "frontier": wire.frontier(rows), "missing": 300,
                  "frame": wire.message(wire.SYNCED, wire.frontier(rows), 300)})
    return found


def run_messages(world):
    log = world.log.copy(0)
    log.append(wire.CHANGE, b"a body", NOON)
    run, places = log.run(1, 1), [place(300, "entry 300"), place(299, "entry 299"), place(1, "one")]
    found = []
    for held in ([], places):
        found.append({
            "type": wire.WANT, "want": 7, "log": log.id, "bytes": 1 << 20,
            "places": [{"seq": seq, "entry": entry} for seq, entry in held],
            "frame": wire.want(7, log.id, held, 1 << 20),
        })
    for number in (0, 2**32 - 1):
        found.append({"type": wire.RUN, "want": number, "log": log.id, "run": wire.pack(run),
                      "frame": wire.message(wire.RUN, number, log.id, run)})
    for after, held, more in (((0, bytes(32)), [], False),
                              (place(7, "seven"), [place(8, "eight"), place(9, "nine")], True)):
        found.append({"type": wire.ASIDE, "want": 7, "log": log.id, "seq": after[0],
                      "entry": after[1], "more": more,
                      "held": [{"seq": seq, "entry": entry} for seq, entry in held],
                      "frame": wire.message(wire.ASIDE, 7, log.id, *after, held, more)})
    for previous in (bytes(32), some("previous")):
        found.append({"type": wire.BRANCH, "want": 7, "log": log.id, "previous": previous,
                      "run": wire.pack(run),
                      "frame": wire.message(wire.BRANCH, 7, log.id, previous, run)})
    for status in (0, 1):
        found.append({"type": wire.END, "want": 7, "status": status,
                      "frame": wire.message(wire.END, 7, status)})
    found.append({"type": wire.MORE, "want": 7, "bytes": 131072,
                  "frame": wire.message(wire.MORE, 7, 131072)})
    return found


def body_messages(world):
    key, seqs = some("part key"), [1, 2, 200, 2**33]
    proof = wire.key_proof(key, some("record", 16), 1)
    tag = wire.part_tag(proof, world.log.id)
    bodies = [[seq, bytes([at + 1]) * (at * 150 + 1)] for at, seq in enumerate(seqs)]
    found = [{"type": wire.FETCH, "fetch": 9, "log": world.log.id, "tag": tag, "proof": proof,
              "seqs": seqs,
              "frame": wire.message(wire.FETCH, 9, world.log.id, tag, proof, seqs)}]
    for some_bodies, more in (([], False), (bodies, True)):
        found.append({"type": wire.BODIES, "fetch": 9, "more": more,
                      "bodies": [{"seq": seq, "body": body} for seq, body in some_bodies],
                      "frame": wire.message(wire.BODIES, 9, some_bodies, more)})
    return found


def other_messages(world):
    documents = [one.encoded for one in world.tokyo.versions]
    mac = wire.join_mac(some("secret", 16), world.handle, bytes(32), bytes(32), bytes(32))
    fresh = some("fresh", 16)
    found = [{"type": kind, "number": number, "frame": wire.message(kind, number)}
             for kind, number in ((wire.PING, 0), (wire.PING, 2**63 - 1), (wire.PONG, 200))]
    found += [{"type": wire.STANDING, "number": number,
               "frame": wire.message(wire.STANDING, number)} for number in (1, 2, 3, 4)]
    found.append({"type": wire.JOIN, "handle": world.handle, "documents": documents, "mac": mac,
                  "frame": wire.message(wire.JOIN, world.handle, documents, mac)})
    signing, sealing, _, acceptance = world.mekong.nodes[1].row(world.mekong.id, world.handle)
    found.append({"type": wire.NODE, "handle": world.handle, "org": world.mekong.id,
                  "signing": signing, "sealing": sealing, "acceptance": acceptance, "mac": mac,
                  "frame": wire.message(wire.NODE, world.handle, world.mekong.id, signing, sealing,
                                        acceptance, mac)})
    found.append({"type": wire.CHALLENGE, "fresh": fresh,
                  "frame": wire.message(wire.CHALLENGE, fresh)})
    return found


def refused_messages():
    one, two, message = b"\1" * 32, b"\2" * 32, wire.message
    head = [1, one]
    return {
        "type 0": message(0),
        "type 19": message(19, 1),
        "type 27": message(27, 1),
        "aside want 0": message(wire.ASIDE, 0, one, 0, bytes(32), [], False),
        "aside from seq 0 with an entry": message(wire.ASIDE, 1, one, 0, one, [], False),
        "aside held twice": message(wire.ASIDE, 1, one, 0, bytes(32), [head, head], False),
        "aside held that descends": message(wire.ASIDE, 1, one, 0, bytes(32), [[2, one], [1, two]],
                                            False),
        "aside held before after": message(wire.ASIDE, 1, one, 2, one, [[1, two]], False),
        "aside of none with more": message(wire.ASIDE, 1, one, 0, bytes(32), [], True),
        "aside of 257": message(wire.ASIDE, 1, one, 0, bytes(32),
                                [[at + 1, one] for at in range(257)], False),
        "not an array": wire.pack(1),
        "one element too many": message(wire.PING, 1, 1),
        "one element too few": message(wire.HEAD, one, 1),
        "another magic": message(wire.HELLO, b"spean\0\0\1", 1, 1, bytes(16), one, one, one, one, [],
                                 1),
        "65 features": wire.hello(bytes(16), one, one, one, one, 1, (1, 1), range(65)),
        "a text of 257 bytes": message(wire.REFUSE, 1301, "a" * 257),
        "heads that descend": message(wire.TITLES, [[1, two], [2, one]], [], False),
        "a head twice": message(wire.TITLES, [], [[one, [head, head]]], False),
        "orgs that descend": message(wire.TITLES, [], [[two, [head]], [one, [head]]], False),
        "version 0": message(wire.TITLES, [[0, one]], [], False),
        "16 heads": message(wire.TITLES, [[1, wire.u64(at) * 4] for at in range(16)], [], False),
        "257 documents": message(wire.DOCUMENTS, [b"x"] * 257, False),
        "half a short name": message(wire.DIGEST, bytes(4), bytes(512)),
        "short names that descend": message(wire.DIGEST, one[:8] + bytes(8), bytes(512)),
        "63 buckets": message(wire.DIGEST, b"", bytes(504)),
        "rows that descend": message(wire.ROWS, 1, [[two, 1, one], [one, 1, one]], False),
        "a row of seq 0": message(wire.ROWS, 1, [[one, 0, one]], False),
        "want id 0": wire.want(0, one, [], 1),
        "want id 2^32": wire.want(2**32, one, [], 1),
        "places that ascend": wire.want(1, one, [(1, one), (2, one)], 1),
        "a place twice": wire.want(1, one, [(1, one), (1, two)], 1),
        "33 places": wire.want(1, one, [(50 - at, one) for at in range(33)], 1),
        "an end of status 2": message(wire.END, 1, 2),
        "nothing to fetch": message(wire.FETCH, 1, one, one[:16], one, []),
        "fetching what descends": message(wire.FETCH, 1, one, one[:16], one, [2, 1]),
        "fetching 257": message(wire.FETCH, 1, one, one[:16], one, list(range(1, 258))),
        "an empty body": message(wire.BODIES, 1, [[1, b""]], False),
        "bodies that descend": message(wire.BODIES, 1, [[2, b"a"], [1, b"a"]], False),
        "a head of seq 0": message(wire.HEAD, one, 0, one),
        "a standing of 5": message(wire.STANDING, 5),
    }


def messages(world):
    makers = (opening, document_messages, frontier_messages, run_messages, body_messages,
              other_messages)
    found = [vector for make in makers for vector in make(world)]
    return {
        "messages": sorted(found, key=lambda vector: vector["type"]),
        "refused": vectors_of(refused_messages()),
    }
