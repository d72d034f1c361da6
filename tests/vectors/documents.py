"""tests/vectors/documents.py - org statements, charter versions, the digest over all of them."""

from world import signer, vectors_of, wire


def document_vector(name, document, changes):
    return {
        "name": name,
        "version": document.version,
        "previous": document.previous,
        "changes": changes,
        "signer_seeds": [one.seed for one in document.signers],
        "body": document.body,
        "id": document.id,
        "encoded": document.encoded,
    }


def cut_rows(rows, *names):
    return [dict(zip(names + ("seq", "entry"), row)) for row in rows]


def node_rows(org, rows):
    seeds = {node.signing.public: node.signing.seed for node in org.nodes}
    names = ("signing", "sealing", "transport", "acceptance")
    return [dict(zip(names, row), signing_seed=seeds[row[0]]) for row in rows]


def statement_changes(org, document, recovery):
    """The changes in words. recovery: the public key whose hash they carry, if any."""
    changes, words = document.changes, {}
    if 1 in changes:
        words["admin"] = dict(zip(("threshold", "keys"), changes[1]))
    if 2 in changes:
        words["recovery"] = {"public": recovery, "hash": changes[2]}
    if 3 in changes:
        words["sealing"] = dict(zip(("generation", "key"), changes[3]))
    if 4 in changes:
        words["handle"] = changes[4]
    if 5 in changes:
        words["nodes"] = node_rows(org, changes[5])
    if 6 in changes:
        words["cuts"] = cut_rows(changes[6], "signing")
    return words


def charter_changes(changes):
    words = {}
    if 1 in changes:
        threshold, keys = changes[1]
        rows = [dict(zip(("org", "key"), row)) for row in keys]
        words["stewards"] = {"threshold": threshold, "keys": rows}
    if 2 in changes:
        words["members"] = [dict(zip(("org", "status"), row)) for row in changes[2]]
    if 3 in changes:
        words["relays"] = [dict(zip(("org", "signing"), row)) for row in changes[3]]
    names = {1: "quota_bytes", 2: "heads_interval_s"}
    for number, value in changes.get(4, {}).items():
        words[names[number]] = value
    names = {5: "erasure_delay_s", 6: "entry_format", 7: "schema", 10: "join", 11: "ledger_name",
             12: "random"}
    for number, name in names.items():
        if number in changes:
            words[name] = changes[number]
    if 8 in changes:
        words["cuts"] = cut_rows(changes[8], "org", "signing")
    if 9 in changes:
        words["pins"] = [dict(zip(("org", "statement"), row)) for row in changes[9]]
    return words


STATEMENT_NAMES = {
    "mekong": ["one administrator", "first nodes and the ledger's handle",
               "a second administrator, and a log cut at 0", "one branch: a cut",
               "the other branch: a new sealing key"],
    "hanoi": ["one administrator", "first nodes and the ledger's handle", "signed by recovery"],
}

CHARTER_NAMES = [
    "genesis", "members come in", "two of three stewards, and a relay",
    "a member removed, its logs cut", "a pin, a cut, another schema, format and delay",
    "one branch: no relays any more", "the other branch: another quota", "joins both branches",
]


def org_vectors(org, names):
    recovery = org.recovery.public
    found = []
    for name, document in zip(names, org.versions):
        if any(one.public == recovery for one in document.signers):
            recovery = signer(org.name + " recovery 2").public
        words = statement_changes(org, document, recovery)
        found.append(document_vector(name, document, words))
    return {"org": org.id, "versions": found}


def body(kind, version, previous, changes, number=1):
    return wire.pack([number, kind, version, previous, changes])


def refused_statements():
    def key(number):
        return bytes([number]) * 32

    whole = {1: [1, [key(1)]], 2: key(2), 3: [1, key(3)]}

    def first(changes):
        return body(1, 1, None, whole | changes)

    def later(changes):
        return body(1, 2, key(9), changes)

    node = [key(1), key(2), key(3), bytes(64)]
    return {
        "a key that is not known": later({7: 1}),
        "no changes": later({}),
        "version 0": body(1, 0, None, {2: key(2)}),
        "version 2 without one before": body(1, 2, None, {2: key(2)}),
        "version 1 with one before": body(1, 1, key(9), whole),
        "version 1 without a recovery key": body(1, 1, None, {1: [1, [key(1)]], 3: [1, key(3)]}),
        "version 1 with nodes": first({4: bytes(16), 5: [node]}),
        "version 1 with generation 2": first({3: [2, key(3)]}),
        "no administrators": first({1: [1, []]}),
        "a threshold of 0": first({1: [0, [key(1)]]}),
        "a threshold above the count": first({1: [2, [key(1)]]}),
        "administrators that descend": first({1: [1, [key(2), key(1)]]}),
        "17 administrators": first({1: [1, [key(number) for number in range(17)]]}),
        "generation 1,025": later({3: [1025, key(3)]}),
        "a handle without nodes": later({4: bytes(16)}),
        "an empty list of nodes": later({4: bytes(16), 5: []}),
        "an empty list of cuts": later({6: []}),
        "a node twice": later({5: [node, node]}),
        "a cut at 0 with an entry": later({6: [[key(1), 0, key(4)]]}),
        "a cut at 1 without one": later({6: [[key(1), 1, None]]}),
        "cuts that descend": later({6: [[key(2), 0, None], [key(1), 0, None]]}),
    }


def refused_charters():
    def key(number):
        return bytes([number]) * 32

    whole = {1: [1, [[key(1), key(2)]]], 2: [[key(1), 1]], 5: 0, 6: 1, 7: key(7), 11: "x",
             12: bytes(16)}

    def first(changes):
        return body(2, 1, None, whole | changes)

    def later(changes):
        return body(2, 2, key(9), changes)

    missing = {f"version 1 without key {number}":
               body(2, 1, None, {other: whole[other] for other in whole if other != number})
               for number in whole}
    return {
        **missing,
        "a key that is not known": later({13: 1}),
        "no changes": later({}),
        "half of the stewards": later({1: [1, [[key(1), key(1)], [key(1), key(2)]]]}),
        "stewards that descend": later({1: [2, [[key(1), key(2)], [key(1), key(1)]]]}),
        "no stewards": later({1: [1, []]}),
        "an empty list of members": later({2: []}),
        "a status of 3": later({2: [[key(1), 3]]}),
        "a member twice": later({2: [[key(1), 1], [key(1), 2]]}),
        "relays in version 1": first({3: []}),
        "empty limits": later({4: {}}),
        "a limit that is not known": later({4: {3: 1}}),
        "a delay above a year": later({5: 31536001}),
        "entry format 0": later({6: 0}),
        "an empty list of cuts": later({8: []}),
        "a cut at 0 with an entry": later({8: [[key(1), key(2), 0, key(3)]]}),
        "an empty list of pins": later({9: []}),
        "a name in version 2": later({11: "x"}),
        "an empty name": first({11: ""}),
        "a name of 129 bytes": first({11: "x" * 129}),
    }


def documents(world):
    orgs = [org_vectors(org, STATEMENT_NAMES[org.name]) for org in (world.mekong, world.hanoi)]
    charters = [document_vector(name, document, charter_changes(document.changes))
                for name, document in zip(CHARTER_NAMES, world.charters)]
    return {
        "ledger": world.ledger,
        "handle": world.handle,
        "statements": orgs,
        "charters": charters,
        "refused_statements": vectors_of(refused_statements()),
        "refused_charters": vectors_of(refused_charters()),
    }


def heads_of(documents_held):
    followed = {document.previous for document in documents_held}
    followed |= {document.changes.get(10) for document in documents_held}
    return [document.id for document in documents_held if document.id not in followed]


def authority(world):
    """Add documents one after the other; after each, the digest over what is held."""
    owner = {document.id: org.id for org in world.orgs for document in org.versions}
    order = world.charters[:2]
    order += [document for org in world.orgs for document in org.versions]
    order += world.charters[2:]
    held, steps = [], []
    for document in order:
        held.append(document)
        charter = heads_of([one for one in held if one.id not in owner])
        statements = {}
        for org in world.orgs:
            versions = [one for one in held if owner.get(one.id) == org.id]
            if versions:
                statements[org.id] = heads_of(versions)
        steps.append({"document": document.encoded, "digest": wire.authority(charter, statements)})
    return {"steps": steps}
