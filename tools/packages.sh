#!/bin/sh
# tools/packages.sh GROUP... - install the Debian 12 packages of these groups that are missing.
#
# Groups: build (compile and run), test, lint, fuzz, coverage. Nothing missing: no root, no network, no
# output. Talk goes to stderr. Exit status: 0 all installed, 1 something could not be installed,
# 2 wrong use.
set -eu

usage() {
    echo "usage: tools/packages.sh build|test|lint|fuzz|coverage..."
    echo "Installs the Debian 12 packages of these groups that are missing."
}

packages_of() {
    case $1 in
    build)
        echo gcc libc6-dev cmake ninja-build pkg-config gettext
        echo libsodium-dev libmsgpack-dev liblmdb-dev libzmq3-dev libevent-dev libjansson-dev
        echo libcurl4-openssl-dev libutf8proc-dev libqrencode-dev libinih-dev libcsv-dev
        ;;
    test)
        echo libcmocka-dev python3 python3-zmq python3-msgpack python3-nacl procps mandoc curl
        echo python3-jsonschema python3-prometheus-client python3-lmdb faketime
        ;;
    lint) echo clang-format clang-tidy ;;
    fuzz) echo clang libclang-rt-14-dev ;;
    coverage) echo gcovr ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
}

# Print those of the given packages that are not installed.
missing_of() {
    installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
    for package in "$@"; do
        if ! printf '%s\n' "$installed" | grep -qxF "$package installed"; then
            echo "$package"
        fi
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        env DEBIAN_FRONTEND=noninteractive "$@" >&2
    else
        sudo env DEBIAN_FRONTEND=noninteractive "$@" >&2
    fi
}

if [ $# -eq 0 ]; then
    usage >&2
    exit 2
fi
if [ "$1" = --help ]; then
    usage
    exit 0
fi

wanted=
for group in "$@"; do
    names=$(packages_of "$group")
    wanted="$wanted $names"
done

# shellcheck disable=SC2086 # Package names are words.
set -- $wanted
if ! command -v dpkg-query >/dev/null 2>&1; then
    why="this is not a Debian system, so nothing can be installed here."
else
    # shellcheck disable=SC2046
    set -- $(missing_of "$@")
    if [ $# -eq 0 ]; then
        exit 0
    fi
    why=
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null 2>&1; then
        why="packages are missing, and without root or sudo they cannot be installed from here."
    fi
fi
if [ -z "$why" ]; then
    echo "spean: installing $# Debian packages: $*" >&2
    as_root apt-get update -qq || why="the package lists could not be fetched: no network, or sudo said no."
fi
if [ -z "$why" ]; then
    as_root apt-get install -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 "$@" ||
        why="apt-get did not install the packages."
fi
if [ -n "$why" ]; then
    echo "spean: $why" >&2
    echo "spean: install these Debian 12 packages, then run the same command again:" >&2
    echo "    apt-get install --no-install-recommends $*" >&2
    exit 1
fi
