#!/usr/bin/python3
"""tests/vectors/make_vectors.py [--compare] - write the golden vectors beside this file.

They are made from docs/PROTOCOL.md and docs/SCHEMA.md by tests/system/spean_wire.py, never by our
C code, which has to reproduce them (tests/unit/protocol/test_vectors*.c). With --compare nothing is
written here: it makes them anew in a temporary folder and exits 1 where a byte differs.
"""

import filecmp
import json
import os
import sys
import tempfile

import documents
import basics
import logs
import messages
import records
import world

FILES = {
    "hashes.json": basics.hashes,
    "msgpack.json": basics.msgpack_samples,
    "joining.json": basics.joining,
    "schema.json": basics.schema,
    "documents.json": documents.documents,
    "authority.json": documents.authority,
    "logs.json": logs.logs,
    "runs.json": logs.runs,
    "frontiers.json": logs.frontiers,
    "bodies.json": records.bodies,
    "grants.json": records.grants,
    "erasures.json": records.erasures,
    "changes.json": records.changes,
    "states.json": records.states,
    "messages.json": messages.messages,
}


def readable(value):
    """Bytes become hex strings, whatever holds them."""
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, dict):
        return {key: readable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [readable(item) for item in value]
    return value


def write(folder):
    known = world.World()
    for name, make in FILES.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            json.dump(readable(make(known)), file, indent=1, ensure_ascii=False)
            file.write("\n")


def compare(folder):
    """Return what differs between the vectors checked in and those made now."""
    checked_in = {name for name in os.listdir(folder) if name.endswith(".json")}
    found = [f"{name}: nothing makes it" for name in sorted(checked_in - set(FILES))]
    with tempfile.TemporaryDirectory() as made:
        write(made)
        _, differ, missing = filecmp.cmpfiles(folder, made, sorted(FILES), shallow=False)
        found += [f"{name}: differs from what is made now" for name in differ]
        found += [f"{name}: is not there" for name in missing]
    return found


if __name__ == "__main__":
    if sys.argv[1:] == ["--compare"]:
        FOUND = compare(world.HERE)
        print("\n".join(FOUND))
        sys.exit(1 if FOUND else 0)
    write(world.HERE)
