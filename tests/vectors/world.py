"""tests/vectors/world.py - the ledger, organisations and logs that all vectors are about.

Everything follows from names, so that each run of make_vectors.py gives the same bytes.
"""

import hashlib
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "system"))

import spean_wire as wire  # noqa: E402

SCHEMA = os.path.join(HERE, "..", "..", "docs", "SCHEMA.md")
NOON = 1767268800  # 2026-01-01 12:00 UTC


def some(name, length=32):
    """Return bytes that stand for something random or secret with this name."""
    return hashlib.blake2b(b"spean vectors: " + name.encode(), digest_size=length).digest()


def signer(name):
    return wire.Signer(some(name))


def sealer(name):
    return wire.Sealer(some(name))


def vectors_of(encoded):
    """Vectors of nothing but bytes with a name."""
    return [{"name": name, "encoded": data} for name, data in encoded.items()]


class Node:
    """A node's three keys."""

    def __init__(self, name):
        self.signing = signer(name + " signing")
        self.sealing = sealer(name + " sealing")
        self.transport = sealer(name + " transport")

    def row(self, org, handle):
        return wire.accepted_node(org, handle, self.signing, self.sealing.public,
                                  self.transport.public)


class Org:
    """An organisation with its chain of statements."""

    def __init__(self, name):
        self.name = name
        self.admin = signer(name + " admin")
        self.recovery = signer(name + " recovery")
        self.sealing = sealer(name + " organisation sealing 1")
        self.charter_key = signer(name + " charter")
        self.nodes = [Node(name + " node 1"), Node(name + " node 2")]
        self.versions = []
        first = {
            1: [1, [self.admin.public]],
            2: wire.recovery_hash(self.recovery.public),
            3: [1, self.sealing.public],
        }
        self.add(first, [self.admin])
        self.id = self.versions[0].id

    def add(self, changes, signers, after=None):
        """Add the version that follows one (by default the last)."""
        before = after or (self.versions[-1] if self.versions else None)
        version = before.version + 1 if before else 1
        previous = before.id if before else None
        document = wire.Document(wire.STATEMENT, version, previous, changes, signers)
        self.versions.append(document)
        return document

    def open_nodes(self, handle, count):
        rows = sorted(node.row(self.id, handle) for node in self.nodes[:count])
        return self.add({4: handle, 5: rows}, [self.admin])


def schema_rows():
    """The rows of SCHEMA.md, section 5, read from the tables of its section 7."""
    with open(SCHEMA, encoding="utf-8") as file:
        text = file.read()
    section = text.split("\n## 7. ")[1].split("\n## 8. ")[0]
    kinds = ["fixed", "value", "set", "list", "strictest", "one-way"]
    writers = ["fixed", "owner", "origin", "target", "either", "member", "steward"]
    rows = []
    for block in section.split("\n### ")[1:]:
        title = re.match(r"\w+ \((\d+)\)\n", block)
        if not title:
            continue
        listed = re.search(r"^Parts: (.*)\.$", block, re.MULTILINE).group(1)
        parts = dict(reversed(part.split(" ")) for part in listed.split(", "))
        for line in re.findall(r"^\| \d.*\|$", block, re.MULTILINE):
            number, _, _, kind, writer, part = [cell.strip() for cell in line.split("|")[1:7]]
            rows.append([int(title.group(1)), int(number), kinds.index(kind),
                         writers.index(writer), int(parts[part])])
    return sorted(rows)


def schema_hash():
    return wire.hash32("spean/schema/1", wire.pack(schema_rows()))


class World:
    """One ledger: four organisations, seven charter versions and one fork of each kind."""

    def __init__(self):
        self.mekong = Org("mekong")
        self.hanoi = Org("hanoi")
        self.java = Org("java")
        self.tokyo = Org("tokyo")
        self.orgs = [self.mekong, self.hanoi, self.java, self.tokyo]
        self.charters = []
        self.found()
        self.ledger = self.charters[0].id
        self.handle = wire.handle_of(self.ledger)
        for org in self.orgs:
            org.open_nodes(self.handle, 1 if org is self.java else 2)
        self.log = wire.Log(self.ledger, self.mekong.id, self.mekong.nodes[0].signing)
        self.other_log = wire.Log(self.ledger, self.hanoi.id, self.hanoi.nodes[0].signing)
        self.third_log = wire.Log(self.ledger, self.tokyo.id, self.tokyo.nodes[0].signing)
        self.change_statements()
        self.change_charter()

    def charter(self, changes, signers, after=None):
        before = after or (self.charters[-1] if self.charters else None)
        version = before.version + 1 if before else 1
        previous = before.id if before else None
        document = wire.Document(wire.CHARTER, version, previous, changes, signers)
        self.charters.append(document)
        return document

    def found(self):
        org = self.mekong
        genesis = {
            1: [1, [[org.id, org.charter_key.public]]],
            2: [[org.id, wire.ACTIVE]],
            4: {1: 1 << 33, 2: 86400},
            5: 259200,
            6: 1,
            7: schema_hash(),
            11: "Bridge ស្ពាន",
            12: some("ledger random", 16),
        }
        self.charter(genesis, [org.charter_key])

    def change_statements(self):
        """A second administrator and a cut; a version by recovery; two branches."""
        org = self.mekong
        second = signer("mekong admin 2")
        admins = sorted([org.admin.public, second.public])
        closed = org.nodes[1].signing.public
        org.add({1: [2, admins], 6: [[closed, 0, None]]}, [org.admin, second])
        common = org.versions[-1]
        cut = [org.nodes[0].signing.public, 9, some("mekong entry 9")]
        org.add({6: [cut]}, [org.admin, second], common)
        newer = sealer("mekong organisation sealing 2")
        org.add({3: [2, newer.public]}, [org.admin, second], common)

        org = self.hanoi
        fresh = signer("hanoi admin after recovery")
        changes = {
            1: [1, [fresh.public]],
            2: wire.recovery_hash(signer("hanoi recovery 2").public),
            3: [2, sealer("hanoi organisation sealing 2").public],
            6: [[org.nodes[1].signing.public, 7, some("hanoi entry 7")]],
        }
        org.add(changes, [org.recovery, fresh])

    def change_charter(self):
        mekong, hanoi, java, tokyo = self.orgs
        keys = [mekong.charter_key, hanoi.charter_key, tokyo.charter_key]
        self.charter({2: sorted([org.id, wire.ACTIVE] for org in self.orgs[1:]), 4: {2: 43200}},
                     keys[:1])
        stewards = [[org.id, org.charter_key.public] for org in (mekong, hanoi, tokyo)]
        relay = [tokyo.id, tokyo.nodes[0].signing.public]
        self.charter({1: [2, sorted(stewards, key=lambda row: row[1])], 3: [relay]}, keys)
        open_log = [java.id, java.nodes[0].signing.public, 5, some("java entry 5")]
        unseen = [java.id, java.nodes[1].signing.public, 0, None]
        self.charter({2: [[java.id, wire.REMOVED]], 8: sorted([open_log, unseen])}, keys[:2])
        changes = {
            5: 0,
            6: 2,
            7: some("the schema after this one"),
            8: [[hanoi.id, hanoi.nodes[1].signing.public, 3, some("hanoi entry 3")]],
            9: [[mekong.id, mekong.versions[3].id]],
        }
        common = self.charter(changes, keys[1:])
        one = self.charter({3: []}, keys[:2], common)
        other = self.charter({4: {1: 1 << 30}}, keys[1:], common)
        self.charter({10: other.id}, [keys[0], keys[2]], one)
