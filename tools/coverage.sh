#!/bin/sh
# tools/coverage.sh [CTEST ARGUMENT...] - build `coverage`, run the tests, print lines by folder.
#
# Installs the Debian packages that are missing, builds the preset `coverage` in build/coverage,
# runs ctest there and prints a table: how many lines of each folder there are, how many ran, and
# the files of which the fewest did. A test that fails does not stop it and gives exit status 1.
set -eu

if [ "${1-}" = --help ]; then
    cat <<'END'
usage: tools/coverage.sh [CTEST ARGUMENT...]

Runs the tests and prints, for each folder, how many of its lines they reached.
    tools/coverage.sh               everything
    tools/coverage.sh -L unit       by the unit tests alone
END
    exit 0
fi

cd "$(dirname "$0")/.."
tools/packages.sh build test coverage

launcher=
if command -v ccache >/dev/null 2>&1; then
    launcher=-DCMAKE_C_COMPILER_LAUNCHER=ccache
fi

cmake --preset coverage $launcher >&2
cmake --build --preset coverage >&2
find build/coverage -name '*.gcda' -delete # Of another run.
failed=0
ctest --preset coverage -j2 "$@" >&2 || failed=1
gcovr --root . --object-directory build/coverage --filter '(protocol|store|node|tools)/' \
    --csv | python3 -B tools/coverage_table.py
exit "$failed"
