"""tests/house/check_headers.py ROOT COMPILER FLAG... - every header compiles alone, and twice."""

import subprocess
import sys

import tree


def complaint(root, name, compiler, flags):
    """Return what the compiler says about a source that only includes name, or an empty string."""
    source = f'#include "{name}"\n#include "{name}"\ntypedef int spean_not_empty;\n'
    command = [compiler, *flags, f"-I{root}", "-fsyntax-only", "-x", "c", "-"]
    done = subprocess.run(command, input=source, text=True, cwd=root, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0 and not done.stdout:
        return f"{compiler} failed with {done.returncode}"
    return done.stdout.strip()


def findings(root, compiler, flags):
    found = []
    for name in tree.files(root, ".h"):
        said = complaint(root, name, compiler, flags)
        if said:
            found.append(f"{name}: does not compile alone\n{said}")
    return found


if __name__ == "__main__":
    tree.report(findings(sys.argv[1], sys.argv[2], sys.argv[3:]))
