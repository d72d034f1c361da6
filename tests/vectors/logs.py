"""tests/vectors/logs.py - headers, ids, signatures, runs, evidence, heads and frontiers."""

from world import NOON, some, vectors_of, wire


def fill(log):
    """A log of public, sealed, foreign and later entries; clocks go backwards in it."""
    one, other = some("tag one", 16), some("tag other", 16)
    log.append(wire.CHANGE, some("body 1", 64), NOON)
    log.append(wire.CHANGE, some("body 2", 48), NOON + 60, one, flags=0)
    log.append(wire.CHANGE, some("body 3", 48), NOON - 86400, other, flags=0)
    log.append(wire.CHANGE, some("body 4", 1), NOON - 86401, one)
    log.append(wire.PART_GRANT, some("body 5", 60), NOON + 2**33, some("tag third", 16))
    log.append(wire.HEADS, some("body 6", 16), 0)
    log.append(300, bytes(256), 5, flags=7)
    rest = [5, b"later", "ខ្មែរ", [1, [-2]], {1: None}]
    log.append(wire.CHANGE, some("body 8", 20), 5, one, flags=0, later=(2, rest))
    log.append(70000, some("body 9", 20), 2**63 - 1, later=(2**32, [None]))
    return log


def many_tags(log):
    for at in range(60):
        tag = some(f"tag {at % 40}", 16) if at % 7 else None
        log.append(wire.CHANGE, some(f"body {at}", 1 + at % 5), NOON + at * at, tag,
                   flags=int(at % 6 == 5))
    return log


def header_vector(log, entry):
    return {
        "log": log.id, "format": entry.format, "seq": entry.seq, "previous": entry.previous,
        "time": entry.time, "kind": entry.kind, "flags": entry.flags, "tag": entry.tag,
        "length": entry.length, "body": entry.body, "body_hash": entry.body_hash, "rest": entry.rest,
        "rest_count": len(wire.unpack(entry.header)) - 9, "header": entry.header,
        "entry": entry.id, "commit_signature": log.signature(entry.seq),
    }


def far_header(world):
    """A header whose numbers are as large as they may be."""
    log, previous, digest = world.log, some("an entry"), some("a body's hash")
    data = wire.header(2**32, previous, 2**63 - 1, 1, 1, None, 61440, digest)
    entry = wire.entry_id(log.id, data)
    return {
        "log": log.id, "format": 1, "seq": 2**32, "previous": previous, "time": 2**63 - 1,
        "kind": 1, "flags": 1, "tag": None, "length": 61440, "body": None, "body_hash": digest,
        "rest": b"", "rest_count": 0, "header": data, "entry": entry,
        "commit_signature": wire.commit_signature(log.signer, log.id, entry),
    }


def refused_headers():
    def refused(number=1, seq=1, time=1, length=10, rest=(), last=bytes(32)):
        return wire.pack([number, seq, bytes(32), time, 1, 1, None, length, last, *rest])

    return {
        "format 0": refused(number=0),
        "a later format with nine elements": refused(number=2),
        "format 1 with ten elements": refused(rest=[1]),
        "seq 0": refused(seq=0),
        "a time of 2^63": refused(time=2**63),
        "a body of 0 bytes": refused(length=0),
        "a body of 61,441 bytes": refused(length=61441),
        "a hash of 31 bytes": refused(last=bytes(31)),
        "more than 1 KiB": refused(number=2, rest=[bytes(1000)]),
    }


def logs(world):
    ids = [{"ledger": world.ledger, "org": log.org, "signing": log.signer.public, "log": log.id}
           for log in (world.log, world.other_log, world.third_log)]
    log = fill(world.log.copy(0))
    found = [header_vector(log, entry) for entry in log.entries] + [far_header(world)]
    return {"signing_seed": log.signer.seed, "ids": ids, "headers": found,
            "refused": vectors_of(refused_headers())}


def run_vector(name, log, first, last, bodies=True, cut=False):
    value = log.run(first, last, bodies, cut)
    entries = log.entries[first - 1 : last]
    travel = [row[4] for row in value[3]]
    return {
        "name": name,
        "log": log.id,
        "signing": log.signer.public,
        "after": {"seq": first - 1, "entry": entries[0].previous},
        "entries": [
            {"header": entry.header, "entry": entry.id,
             "body": entry.body if isinstance(body, bytes) else None}
            for entry, body in zip(entries, travel)
        ],
        "size": wire.run_size(entries),
        "signature": value[4],
        "run": wire.pack(value),
    }


def evidence_vector(name, log, other, first, last, other_last):
    runs = [log.run(first, last, False), other.run(first, other_last, False)]
    previous = log.entries[first - 1].previous
    return {
        "name": name,
        "log": log.id,
        "signing": log.signer.public,
        "after": {"seq": first - 1, "entry": previous},
        "runs": [wire.pack(run) for run in runs],
        "evidence": wire.evidence(log.id, first, previous, *runs),
    }


def refused_runs():
    """Runs that follow the beginning of a log."""
    one, other = some("tag one", 16), some("tag other", 16)
    entry = [1, 1, 0, None, b"x"]

    def refused(rows, tags=(), time=1):
        return wire.pack([1, time, list(tags), rows, bytes(64)])

    return {
        "no entries": refused([]),
        "a delta before the first entry": refused([[1, 1, 1, None, b"x"]]),
        "a tag that nothing uses": refused([entry], [one]),
        "a tag twice": refused([[1, 0, 0, 0, b"x"], [1, 1, 0, 1, b"x"]], [one, one]),
        "tags in another order": refused([[1, 0, 0, 1, b"x"], [1, 1, 0, 0, b"x"]], [one, other]),
        "a tag that is not there": refused([[1, 1, 0, 1, b"x"]], [one]),
        "a time below 0": refused([[1, 0, 0, None, b"x"], [1, 1, -2, None, b"x"]]),
        "a time of 2^63": refused([[1, 0, 0, None, b"x"], [1, 1, 2**63 - 1, None, b"x"]]),
        "format 1 written out": refused([entry + [1, b""]]),
        "a later format that appends nothing": refused([entry + [2, b""]]),
        "a later format with a malformed rest": refused([entry + [2, b"\xcc\x01"]]),
        "an empty body": refused([[1, 1, 0, None, b""]]),
        "257 entries": refused([entry] * 257),
    }


def runs(world):
    log, many = fill(world.log.copy(0)), many_tags(world.other_log.copy(0))
    branch = log.copy(4)
    branch.append(wire.CHANGE, b"another", NOON, flags=0)
    branch.append(wire.CHANGE, b"story", NOON)
    start = log.copy(0)
    start.append(wire.CHANGE, b"another start", NOON)
    return {
        "runs": [
            run_vector("with bodies", log, 1, 7),
            run_vector("without bodies", log, 1, 7, False),
            run_vector("some bodies", log, 1, 7, [1, 5, 6]),
            run_vector("one entry in the middle", log, 5, 5),
            run_vector("time goes backwards", log, 5, 7),
            run_vector("later formats", log, 7, 9),
            run_vector("later formats without bodies", log, 8, 9, False),
            run_vector("many tags", many, 1, 60),
            run_vector("many tags, some bodies", many, 7, 36, list(range(7, 37, 3))),
            run_vector("ends in a cut", log, 1, 4, cut=True),
        ],
        "refused": vectors_of(refused_runs()),
        "evidence": [
            evidence_vector("runs of two lengths", log, branch, 5, 5, 6),
            evidence_vector("from the first entry", log, start, 1, 4, 1),
        ],
    }


def numbered_rows(count):
    """A frontier of so many logs, the first of which share a bucket."""
    rows = {}
    for at in range(count):
        log = some(f"log {at}")
        if at < 3:
            log = bytes([at, at]) + log[2:]
        if at == 3:
            log = b"\xff" + log[1:]
        rows[log] = (1 + at * at * 1000, some(f"entry {at}"))
    return rows


def frontier_vector(name, rows, excluded):
    left = {log: rows[log] for log in rows if log[:8] not in excluded}
    return {
        "name": name,
        "rows": [{"log": log, "seq": rows[log][0], "entry": rows[log][1]} for log in sorted(rows)],
        "excluded": sorted(excluded),
        "buckets": wire.bucket_digests(left),
        "frontier": wire.frontier(left),
    }


def frontiers(_):
    rows = numbered_rows(80)
    names = sorted(rows)
    head_rows = {log: rows[log] for log in names[:20]}
    return {
        "frontiers": [
            frontier_vector("nothing", {}, []),
            frontier_vector("one log", numbered_rows(1), []),
            frontier_vector("many logs", rows, []),
            frontier_vector("some excluded", rows, [names[0][:8], names[7][:8], bytes(8)]),
        ],
        "heads": [
            {"rows": [{"log": log[:8], "seq": chosen[log][0], "entry": chosen[log][1][:16]}
                      for log in sorted(chosen)],
             "content": wire.heads(chosen)}
            for chosen in ({}, head_rows)
        ],
    }
