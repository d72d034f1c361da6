"""tests/house/check_purity.py ARCHIVE ALLOWED - what the pure core needs from outside.

Every symbol that ARCHIVE leaves undefined stands in the list ALLOWED, and it holds no writable
data: nothing to hide state in. Relocated constants (.data.rel.ro) are not writable when it runs.
"""

import fnmatch
import re
import subprocess
import sys

import tree

WRITABLE = re.compile(r"^(\.data(?!\.rel\.ro)|\.bss|\.tdata|\.tbss|\*COM\*)")


def symbols(archive):
    """Yield (name, class, section) of each symbol."""
    done = subprocess.run(["nm", "--format=sysv", archive], check=True, text=True,
                          stdout=subprocess.PIPE)
    for line in done.stdout.split("\n"):
        fields = [field.strip() for field in line.split("|")]
        if len(fields) == 7 and fields[0] != "Name":
            yield fields[0], fields[2], fields[6]


def allowed_patterns(path):
    with open(path, encoding="utf-8") as file:
        lines = [line.split("#")[0].strip() for line in file]
    return [line for line in lines if line]


def findings(archive, allowed):
    rows = list(symbols(archive))
    defined = {name for name, kind, _ in rows if kind.upper() != "U"}
    if not defined:
        return [f"{archive}: defines nothing, so nothing was checked"]
    patterns = allowed_patterns(allowed)
    found = []
    for name in sorted({name for name, kind, _ in rows if kind.upper() == "U"} - defined):
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns):
            found.append(f"{name}: protocol/ may not use this; if it is pure, add it to {allowed}")
    for name, kind, section in rows:
        if WRITABLE.match(section) or kind in "CBDbd" and not section.startswith(".data.rel.ro"):
            found.append(f"{name}: writable data in {section}; protocol/ keeps no state")
    return found


if __name__ == "__main__":
    tree.report(findings(sys.argv[1], sys.argv[2]))
