"""tests/house/sessions.py - the commands that documents show, and what becomes of each block.

A block of commands is fenced as ```sh and stands right below one of two lines:

    <!-- tests/system/test_readme.py runs this block. -->
    <!-- not a session: WHY -->

What is run of one document is one session, in one shell and one folder, from top to bottom.
"""

import re

import tree

SHELLS = {"sh", "bash", "shell", "console"}
MARKER = re.compile(r"<!-- (?:(?P<run>tests/system/test_readme\.py runs )|not a session: )\w.*-->$")
COMMAND = re.compile(r"\s*(?:[A-Z_]+=\S+ )*"
                     r"(?:\$ |(?:spean|speand|cmake|ctest|curl|git|apt-get|python3|(?:tools|build)/\S+)"
                     r"(?:\s|$))")
INDENT = "    "


class Block:
    """Lines of code in a document: fenced with a language, or ""; indented, None."""

    def __init__(self, at, language, above):
        self.at = at
        self.language = language
        self.marker = MARKER.match(above)
        self.lines = []

    def is_run(self):
        return self.marker is not None and self.marker["run"] is not None

    def shows_commands(self):
        return self.language in SHELLS or (not self.language and any(map(COMMAND.match, self.lines)))


def blocks(text):
    """Return every Block of a document, in order."""
    found = []
    fenced = None
    above = ""
    for at, line in enumerate(text.splitlines(), 1):
        if fenced is not None:
            if line.startswith("```"):
                fenced = None
            else:
                fenced.lines.append(line)
        elif line.startswith("```"):
            fenced = Block(at, line[3:].strip(), above)
            found.append(fenced)
        elif line.startswith(INDENT) and not above.strip():
            found.append(Block(at, None, ""))
            found[-1].lines.append(line)
        elif line.startswith(INDENT) and found and found[-1].language is None:
            found[-1].lines.append(line)
        above = line
    return found


def documents(root):
    """Return the documents that may show commands."""
    return [name for name in tree.files(root, ".md")
            if name in ("README.md", "CONTRIBUTING.md") or name.startswith("docs/")]


def session(text):
    """Return what is run of a document, as one script; "" if nothing is."""
    return "\n".join(line for block in blocks(text) if block.is_run() for line in block.lines)
