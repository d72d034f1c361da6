"""tests/house/check_registered.py ROOT - every source is built: a test nobody runs proves nothing."""

import os
import re
import sys

import tree

# Sources that a function of ours turns into a test, and the function.
KINDS = [
    (re.compile(r"^tests/.*/test_(\w+)\.c$"), "spean_unit_test"),
    (re.compile(r"^tests/fuzz/fuzz_(\w+)\.c$"), "spean_fuzz_target"),
]


def named_as(name):
    """Return the pattern by which a CMakeLists.txt names the source: as it is, or by function."""
    ways = [rf"(^|[\s/]){re.escape(os.path.basename(name))}\b"]
    for kind, function in KINDS:
        match = kind.match(name)
        if match:
            ways.append(rf"\b{function}\(\s*{match.group(1)}\b")
    return re.compile("|".join(ways), re.MULTILINE)


def lists_above(root, name):
    """Yield what the CMakeLists.txt in the source's folder and above it say."""
    folder = os.path.dirname(name)
    while folder:
        path = os.path.join(folder, "CMakeLists.txt")
        if os.path.exists(os.path.join(root, path)):
            yield re.sub(r"#.*", "", tree.read(root, path))
        folder = os.path.dirname(folder)


def findings(root):
    found = []
    for name in tree.files(root, ".c"):
        pattern = named_as(name)
        if not any(pattern.search(text) for text in lists_above(root, name)):
            found.append(f"{name}: no CMakeLists.txt names it")
    return found


if __name__ == "__main__":
    tree.report(findings(sys.argv[1]))
