"""tests/house/check_sessions.py ROOT - commands that documents show are run by a test, or say why not.

Every block of commands in README.md, CONTRIBUTING.md and docs/*.md is fenced as ```sh and marked as
tests/house/sessions.py says.
"""

import sys

import sessions
import tree


def findings(root):
    found = []
    for name in sessions.documents(root):
        for block in sessions.blocks(tree.read(root, name)):
            if not block.shows_commands():
                continue
            if block.language not in sessions.SHELLS:
                found.append(f"{name}:{block.at}: commands that are not fenced as ```sh")
            elif block.marker is None:
                found.append(f"{name}:{block.at}: neither run by a test nor marked as not a session")
    return found


if __name__ == "__main__":
    tree.report(findings(sys.argv[1]))
