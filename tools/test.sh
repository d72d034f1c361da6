#!/bin/sh
# tools/test.sh [CTEST ARGUMENT...] - build `dev` and run every test.
#
# Installs the Debian packages that are missing, configures and builds the preset `dev` in
# build/dev, then runs ctest, which has the last word and gives the exit status.
set -eu

if [ "${1-}" = --help ]; then
    cat <<'END'
usage: tools/test.sh [CTEST ARGUMENT...]

Builds spean with sanitizers and runs every test. Arguments go to ctest:
    tools/test.sh                   everything
    tools/test.sh -L unit           one kind: unit, house, fuzz, system
    tools/test.sh -R reader         tests whose name contains "reader"
    tools/test.sh -N                list the tests
END
    exit 0
fi

cd "$(dirname "$0")/.."
tools/packages.sh build test

# ccache is used where it is installed and never required.
launcher=
if command -v ccache >/dev/null 2>&1; then
    launcher=-DCMAKE_C_COMPILER_LAUNCHER=ccache
fi

cmake --preset dev $launcher
cmake --build --preset dev
exec ctest --preset dev -j2 --output-on-failure "$@"
