"""tests/house/check_callers.py ROOT ALLOWED - what a header offers, the product calls.

A function that only a test calls is dead weight in the product. ALLOWED names the few that stay
all the same, one a line, each with its reason after the name; a name that has found a caller, or
is gone, has to leave the list.
"""

import re
import sys

import tree

FOLDERS = ("protocol/", "store/", "node/", "tools/")

# Comments and literals, so that a name in a sentence is no call.
NO_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)

# A function's name, a brace, or a macro with its continued lines.
TOKEN = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*|\bspean_\w+\b|[{}]", re.M)
# The type of a function, which declares none.
TYPE = re.compile(r"\btypedef\b[^;{]*;")
NAME = re.compile(r"\bspean_\w+\b")


def declared_and_used(text):
    """Return the functions text declares outside of bodies, and the names its bodies use."""
    code = TYPE.sub(" ", NO_CODE.sub(" ", text))
    declared, used, depth = set(), set(), 0
    for token in TOKEN.finditer(code):
        word = token.group()
        if word in "{}":
            depth += 1 if word == "{" else -1
        elif not word.startswith("spean_"):
            used.update(NAME.findall(word))
        elif depth > 0:
            used.add(word)
        elif code[token.end():].lstrip().startswith("("):
            declared.add(word)
    return declared, used


def allowed_names(text):
    """Return the names of an allow-list, and what is wrong with its lines."""
    names, found = [], []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, reason = line.partition(" ")
        names.append(name)
        if not reason.strip():
            found.append(f"allow-list line {number}: {name} has no reason")
    return names, found


def findings(root, allowed):
    declared, used = {}, set()
    for name in tree.files(root, ".c", ".h"):
        if not name.startswith(FOLDERS):
            continue
        here, uses = declared_and_used(tree.read(root, name))
        used |= uses
        if name.endswith(".h"):
            declared.update({function: name for function in here})
    names, found = allowed_names(allowed)
    for function in sorted(set(declared) - used - set(names)):
        found.append(f"{declared[function]}: nothing in the product calls {function}")
    for function in names:
        if function not in declared:
            found.append(f"allow-list: no header declares {function}")
        elif function in used:
            found.append(f"allow-list: the product calls {function}")
    return found


if __name__ == "__main__":
    with open(sys.argv[2], encoding="utf-8") as file:
        tree.report(findings(sys.argv[1], file.read()))
