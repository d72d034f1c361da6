"""tests/house/check_limits.py CTEST BUILD - every registered test has a time limit and a label."""

import json
import subprocess
import sys

import tree


def findings(listing):
    """listing: what `ctest --show-only=json-v1` prints."""
    tests = json.loads(listing)["tests"]
    found = [] if tests else ["no tests are registered"]
    for test in tests:
        names = {entry["name"] for entry in test.get("properties", [])}
        for needed in ("TIMEOUT", "LABELS"):
            if needed not in names:
                found.append(f"{test['name']}: has no {needed}")
    return found


if __name__ == "__main__":
    shown = subprocess.run([sys.argv[1], "--test-dir", sys.argv[2], "--show-only=json-v1"],
                           check=True, stdout=subprocess.PIPE)
    tree.report(findings(shown.stdout))
