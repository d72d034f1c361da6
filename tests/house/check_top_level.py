"""tests/house/check_top_level.py ROOT - the top level holds exactly what it should."""

import sys

import tree

REQUIRED = {
    ".ci",
    ".clang-format",
    ".clang-tidy",
    ".gitignore",
    "CHANGELOG.md",
    "CMakeLists.txt",
    "CMakePresets.json",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "cmake",
    "docs",
    "node",
    "protocol",
    "store",
    "tests",
    "tools",
}


def findings(root):
    present = {name.split("/")[0] for name in tree.files(root)}
    extra = {name for name in present - REQUIRED if not name.startswith(".")}
    return [f"{name}: does not belong at the top level" for name in sorted(extra)] + [
        f"{name}: is missing" for name in sorted(REQUIRED - present)
    ]


if __name__ == "__main__":
    tree.report(findings(sys.argv[1]))
