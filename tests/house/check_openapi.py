"""tests/house/check_openapi.py ROOT - docs/openapi.json describes what the local API answers, with the
names that a query may have.

The system test that sends its examples to a real node has to call every operation, too: that it
calls them is looked up here, where it costs nothing.
"""

import json
import re
import sys

import check_routes
import tree

DOCUMENT = "docs/openapi.json"
CALLS = "tests/system/test_openapi.py"
CALL = re.compile(r'^    Call\("([a-z_]+)"', re.MULTILINE)
NAME = re.compile(r"^[a-z][a-z_]*$")
ROW = re.compile(r'\.method = "([A-Z]+)",\s*\.path = "([^"]+)",\s*\.flags = ([^,]+),'
                 r'(?:\s*\.query = "([^"]*)",)?')


def described(document):
    """Yield ((method, path), operation) of the document."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield (method.upper(), path), operation


def asked_for(document, operation):
    """The names of the query, as the document says."""
    shared = document["components"]["parameters"]
    rows = [shared[row["$ref"].split("/")[-1]] if "$ref" in row else row
            for row in operation.get("parameters", [])]
    return {row["name"] for row in rows if row["in"] == "query"}


def known(text):
    """Yield ((method, path), names of the query) of the rows of a source."""
    for method, path, flags, query in ROW.findall(text):
        yield (method, path), set(query.split()) | ({"dry_run"} if "WRITE" in flags else set())


def findings(root):
    try:
        document = json.loads(tree.read(root, DOCUMENT))
    except ValueError as err:
        return [f"{DOCUMENT}: {err}"]
    rows, found = check_routes.answered(root)
    operations = dict(described(document))
    for method, path in sorted(rows.keys() - operations.keys()):
        found.append(f"{rows[method, path]}: {DOCUMENT} does not describe {method} {path}")
    for method, path in sorted(operations.keys() - rows.keys()):
        found.append(f"{DOCUMENT}: nothing answers {method} {path}")
    for name in sorted(set(rows.values())):
        for row, names in known(tree.read(root, name)):
            wanted = asked_for(document, operations[row]) if row in operations else names
            for word in sorted(names ^ wanted):
                found.append(f"{name}: {DOCUMENT} and the row of {' '.join(row)} differ in ?{word}")
    names = [operation.get("operationId", "") for operation in operations.values()]
    for name in sorted(set(names)):
        if names.count(name) > 1 or not NAME.match(name):
            found.append(f"{DOCUMENT}: not a name of one operation alone: {name!r}")
    called = set(CALL.findall(tree.read(root, CALLS)))
    for name in sorted(set(names) ^ called):
        found.append(f"{CALLS}: CALLS and {DOCUMENT} differ in {name!r}")
    return found


if __name__ == "__main__":
    tree.report(findings(sys.argv[1]))
