#!/bin/sh
# tools/lint.sh [--fix] [--changed] - clang-format and clang-tidy over our C files.
#
# Exit status: 0 clean, 1 findings, 2 wrong use.
set -eu

usage() {
    cat <<'END'
usage: tools/lint.sh [--fix] [--changed]

Checks layout with clang-format and code with clang-tidy (version 14 of both).
    --fix      let clang-format rewrite the files first
    --changed  look only at the files that differ from where this branch left main
END
}

fix=no
changed=no
for argument in "$@"; do
    case $argument in
    --fix) fix=yes ;;
    --changed) changed=yes ;;
    --help)
        usage
        exit 0
        ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
done

cd "$(dirname "$0")/.."
if [ "$changed" = yes ] && ! git rev-parse --git-dir >/dev/null 2>&1; then
    echo "lint: --changed compares with main, so it needs git and a clone" >&2
    exit 2
fi
tools/packages.sh build test lint

# Our C files, one per line: from git where this is a clone, else from the folders.
c_files() {
    if [ "$changed" = yes ]; then
        base=$(git merge-base main HEAD 2>/dev/null || git merge-base origin/main HEAD)
        git diff --name-only --diff-filter=d "$base" -- '*.c' '*.h'
    elif git rev-parse --git-dir >/dev/null 2>&1; then
        git ls-files --cached -- '*.c' '*.h'
    else
        find protocol store node tools tests -name '*.[ch]'
    fi
}

files=$(c_files)
if [ -z "$files" ]; then
    echo "lint: no C files to look at" >&2
    exit 0
fi
sources=$(printf '%s\n' "$files" | grep '\.c$' || true)
status=0

if [ "$fix" = yes ]; then
    printf '%s\n' "$files" | xargs clang-format-14 -i
fi
printf '%s\n' "$files" | xargs clang-format-14 --dry-run -Werror || status=1

if [ -n "$sources" ]; then
    cmake --preset dev >/dev/null
    # Findings go to stdout. stderr has one count per file of warnings in system headers: noise.
    talk=$(mktemp)
    trap 'rm -f "$talk"' EXIT
    # One file per process: version 14 takes va_list for uninitialized in every file but its first.
    printf '%s\n' "$sources" |
        xargs -n 1 -P "$(nproc)" clang-tidy-14 -p build/dev --quiet 2>"$talk" || status=1
    grep -Ev '^[0-9]+ warnings? (generated|treated as errors)' "$talk" >&2 || true
fi

if [ "$status" -ne 0 ]; then
    echo "lint: findings above" >&2
fi
exit "$status"
