"""tests/house/check_routes.py ROOT - docs/API.md lists what the local API answers, no more, no less."""

import re
import sys

import tree

METHODS = "GET|POST|PUT|PATCH|DELETE"
DOCUMENT = "docs/API.md"
TABLES = re.compile(r"^node/api_\w+\.c$")
PATH = re.compile(r'"(/v1/[^"]*)"')

# A row of a table, with the names of its fields or without.
ROW = re.compile(
    rf'\{{\s*(?:\.method\s*=\s*)?"({METHODS})",\s*(?:\.path\s*=\s*)?"(/v1/[^"]*)"', re.DOTALL
)

# "GET, POST /v1/cases · GET /v1/cases/{id}": without methods, those before it hold.
CELL = re.compile(rf"^((?:(?:{METHODS})(?:, | ))*)(/v1/\S*)$")


def answered(root):
    """Return {(method, path): file} of the tables, and what in them could not be read."""
    routes = {}
    found = []
    for name in tree.files(root, ".c"):
        if not TABLES.match(name):
            continue
        text = tree.read(root, name)
        rows = ROW.findall(text)
        routes.update({row: name for row in rows})
        if len(rows) != len(PATH.findall(text)):
            found.append(f"{name}: a path that is in no row {{method, path, ...}}")
    return routes, found


def cells(text):
    """Yield (line number, first cell) of the table under "## Routes"."""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#"):
            inside = line == "## Routes"
        elif inside and line.startswith("| ") and not line.startswith("| method and path "):
            yield number, line.split("|")[1].strip()


def listed(root):
    """Return {(method, path): line number} of the document, and what in it could not be read."""
    routes = {}
    found = []
    for number, cell in cells(tree.read(root, DOCUMENT)):
        methods = []
        for place in cell.split(" · "):
            match = CELL.match(place)
            methods = re.findall(METHODS, match.group(1)) or methods if match else []
            if not methods:
                found.append(f"{DOCUMENT}:{number}: not a method and a path: {place}")
                continue
            for method in methods:
                route = (method, match.group(2))
                if route in routes:
                    found.append(f"{DOCUMENT}:{number}: listed twice: {method} {match.group(2)}")
                routes[route] = number
    return routes, found


def findings(root):
    rows, found = answered(root)
    lines, unread = listed(root)
    found += unread
    for method, path in sorted(rows.keys() - lines.keys()):
        found.append(f"{rows[method, path]}: {DOCUMENT} does not list {method} {path}")
    for method, path in sorted(lines.keys() - rows.keys()):
        number = lines[method, path]
        found.append(f"{DOCUMENT}:{number}: nothing answers {method} {path}")
    return found


if __name__ == "__main__":
    tree.report(findings(sys.argv[1]))
