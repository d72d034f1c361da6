"""tests/vectors/documents.py - org statements, charter versions, the digest over all of them."""

from world import signer, wire


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


def documents(world):
    orgs = [org_vectors(org, STATEMENT_NAMES[org.name]) for org in (world.mekong, world.hanoi)]
    charters = [document_vector(name, document, charter_changes(document.changes))
                for name, document in zip(CHARTER_NAMES, world.charters)]
    return {
        "ledger": world.ledger,
        "handle": world.handle,
        "statements": orgs,
        "charters": charters,
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
