"""tests/house/check_includes.py ROOT - every #include against the table of who may include what.

Private linking hides nothing that lies in the system include path, so the table is held here.
"""

import re
import sys

import tree

# Folder: our own folders it may include from. The longest matching folder counts.
OWN = {
    "protocol": {"protocol"},
    "store": {"protocol", "store"},
    "node": {"protocol", "store", "node"},
    "tools": {"protocol", "store", "tools"},
    "tests": {"protocol", "store", "node", "tools", "tests"},
    "tests/unit/protocol": {"protocol", "tests"},
    "tests/unit/store": {"protocol", "store", "tests"},
    "tests/unit/node": {"protocol", "store", "node", "tests"},
    "tests/unit/tools": {"protocol", "store", "tools", "tests"},
}

# Header (or folder of headers) of a library: the only folders that see it.
LIBRARY = {
    "cmocka.h": {"tests"},
    "csv.h": {"tools"},
    "curl/": {"tools", "tests"},
    "event2/": {"node", "tests"},
    "lmdb.h": {"store", "tests/unit/store", "tests/bench"},
    "msgpack.h": {"protocol", "tests"},
    "msgpack/": {"protocol", "tests"},
    "zmq.h": {"node", "tests"},
}

# protocol/ decides and never acts: nothing else of the system is within its reach.
PROTOCOL_SYSTEM = {
    "assert.h",
    "inttypes.h",
    "limits.h",
    "msgpack.h",
    "sodium.h",
    "stdbool.h",
    "stddef.h",
    "stdint.h",
    "stdio.h",  # snprintf(); the purity test refuses every function that touches a stream.
    "stdlib.h",
    "string.h",
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def within(name, folder):
    return name.startswith(folder + "/")


def own_of(name):
    """Return the folders that the file name may include from."""
    places = [folder for folder in OWN if within(name, folder)]
    return OWN[max(places, key=len)] if places else set()


def refusal(name, quote, header):
    """Say why the file name may not include header, or return None."""
    first = header.split("/")[0]
    if quote == '"' and first not in own_of(name):
        return "may not include from here, or not by its path from the top"
    for library, folders in LIBRARY.items():
        if header == library or (library.endswith("/") and header.startswith(library)):
            if not any(within(name, folder) for folder in folders):
                return "only " + ", ".join(sorted(folders)) + " may see this library"
    if within(name, "protocol") and quote == "<" and header not in PROTOCOL_SYSTEM:
        return "protocol/ is pure and may not reach this header"
    if quote == "<" and first in OWN and "/" in header:
        return "our own headers are included with quotes"
    return None


def findings(root):
    found = []
    for name in tree.files(root, ".c", ".h"):
        for match in INCLUDE.finditer(tree.read(root, name)):
            why = refusal(name, match.group(1), match.group(2))
            if why:
                found.append(f"{name}: #include {match.group(2)}: {why}")
    return found


if __name__ == "__main__":
    tree.report(findings(sys.argv[1]))
