"""tests/house/check_decoders.py ROOT - every decoder has a fuzz target, or a reason to have none.

tests/fuzz/decoders.txt lists them: the function, the target that drives it (tests/fuzz/fuzz_*.c),
and behind a colon another function through which it does, where its own name is not in the target.
In place of a target, "-" and the reason.
"""

import os
import re
import sys

import tree

LIST = "tests/fuzz/decoders.txt"
FOLDERS = ("protocol/", "store/", "node/", "tools/")

# What a function is called that makes sense of bytes that others may have written.
DECODER = re.compile(r"\b(spean_\w+_(?:decode|decode_trunk|parse|read|unwrap|unpad|load|feed"
                     r"|open_terms|open_secrets)|spean_recovery_seed|spean_timetext_span"
                     r"|spean_searchkey_(?:new|name|query)|spean_wrap_open"
                     r"|spean_body_open)\s*\(")
ROW = re.compile(r"^(spean_\w+)\s+(\w+|-)(?::\s*(\S.*)|\s+(\S.*))?$")


def declared(root):
    """Return the decoders that headers declare: {function: header}."""
    found = {}
    for name in tree.files(root, ".h"):
        if name.startswith(FOLDERS):
            text = re.sub(r"/\*.*?\*/", "", tree.read(root, name), flags=re.DOTALL)
            for function in DECODER.findall(text):
                found[function] = name
    return found


def row_findings(root, row, at):
    """Say what is wrong with one row of the list."""
    function, target, through, reason = row.groups()
    if target == "-":
        return [] if reason else [f"{at}: {function} has neither a target nor a reason"]
    name = f"tests/fuzz/fuzz_{target}.c"
    if not os.path.exists(os.path.join(root, name)):
        return [f"{at}: there is no {name}"]
    if not re.search(rf"\b{through or function}\b", tree.read(root, name)):
        return [f"{at}: {name} does not call {through or function}"]
    folder = os.path.join(root, "tests/fuzz/corpus", target)
    if not os.path.isdir(folder) or not os.listdir(folder):
        return [f"{at}: tests/fuzz/corpus/{target} has no input"]
    return []


def findings(root):
    found = []
    listed = set()
    functions = declared(root)
    for number, line in enumerate(tree.read(root, LIST).splitlines(), 1):
        at = f"{LIST}:{number}"
        if not line or line.startswith("#"):
            continue
        row = ROW.match(line)
        if not row:
            found.append(f"{at}: neither a row nor a comment")
            continue
        if row.group(1) in listed:
            found.append(f"{at}: {row.group(1)} stands there twice")
        listed.add(row.group(1))
        if row.group(1) not in functions:
            found.append(f"{at}: no header declares {row.group(1)}")
        found += row_findings(root, row, at)
    for function in sorted(set(functions) - listed):
        found.append(f"{functions[function]}: {function} is not in {LIST}")
    return found


if __name__ == "__main__":
    tree.report(findings(sys.argv[1]))
