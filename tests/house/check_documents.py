"""tests/house/check_documents.py ROOT - what *.md files point at exists.

Relative links, their #anchors, and paths of this tree that are named in backquotes.
"""

import glob
import os
import re
import sys

import tree

LINK = re.compile(r"\]\(([^)\s]+)\)")
FOREIGN = re.compile(r"[a-z]+:")
NAMED = re.compile(r"`((?:cmake|docs|node|protocol|store|tests|tools|\.ci)/[\w./*-]*)`?")
HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
PLACEHOLDER = re.compile(r"(^|[/_.-])(NAME|FOLDER|MODULE|X)($|[/_.-])")


def anchors(text):
    """Return the anchors that a heading gives on the usual forges."""
    found = set()
    for heading in HEADING.findall(FENCE.sub("", text)):
        plain = re.sub(r"[`*]", "", heading).strip().lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found


def broken_link(root, name, link):
    if FOREIGN.match(link):
        return False
    path, _, anchor = link.partition("#")
    target = os.path.normpath(os.path.join(os.path.dirname(name), path)) if path else name
    if not os.path.exists(os.path.join(root, target)):
        return True
    return bool(anchor) and target.endswith(".md") and anchor not in anchors(tree.read(root, target))


def findings(root):
    found = []
    for name in tree.files(root, ".md"):
        text = tree.read(root, name)
        for link in LINK.findall(FENCE.sub("", text)):
            if broken_link(root, name, link):
                found.append(f"{name}: broken link: {link}")
        for path in NAMED.findall(text):
            if not PLACEHOLDER.search(path) and not glob.glob(os.path.join(root, path)):
                found.append(f"{name}: names {path}, which does not exist")
    return found


if __name__ == "__main__":
    tree.report(findings(sys.argv[1]))
