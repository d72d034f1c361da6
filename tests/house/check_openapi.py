"""tests/house/check_openapi.py ROOT - docs/openapi.json describes what the local API answers.

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


def described(document):
    """Yield ((method, path), operation) of the document."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield (method.upper(), path), operation


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
