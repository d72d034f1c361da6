"""tests/house/tree.py - the files of the project, and how a checker reports what it finds."""

import os
import subprocess
import sys

IGNORED_FOLDERS = {".git", "build", ".cache", "__pycache__"}


def listed_by_git(root):
    """Return the files git tracks or would add, or None where root is not a clone."""
    if not os.path.exists(os.path.join(root, ".git")):
        return None
    command = ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return None
    names = {name for name in done.stdout.decode().split("\0") if name}
    return [name for name in names if os.path.isfile(os.path.join(root, name))]


def listed_by_walk(root):
    """Return the files below root, without what a build leaves behind."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in IGNORED_FOLDERS]
        found += [os.path.relpath(os.path.join(folder, name), root) for name in names]
    return found


def files(root, *endings):
    """Return the project's files below root, sorted, whose names end in one of endings."""
    names = listed_by_git(root)
    if names is None:
        names = listed_by_walk(root)
    return sorted(name for name in names if not endings or name.endswith(endings))


def read(root, name):
    with open(os.path.join(root, name), encoding="utf-8") as file:
        return file.read()


def report(found):
    """Print what a checker found; exit 1 if that is anything."""
    for line in found:
        print(line)
    sys.exit(1 if found else 0)
