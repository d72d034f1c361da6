#!/bin/sh
# tools/demo.sh [--keep] [--build DIR] - three organisations, a relay and a second laptop, one
# referral across the border, on this machine.
#
# Installs the Debian packages that are missing, builds the preset `release` in build/release (with
# --build it takes the programs that DIR has), then runs five real nodes in a scratch folder: Phnom
# Penh founds a ledger, Hanoi and Tokyo join it, and Jakarta as a relay. A sealed referral travels from Phnom Penh to Tokyo and back to completed, half
# of the way while the two are never online together. Then a second laptop joins Phnom Penh, is given
# the office's keys in one grant, and reads what was written before it came; Hanoi learns nothing of
# all that, and Jakarta, which carries it, can open none. Every step is checked; what is not as it
# should be ends the demo with exit status 1. Nothing is left running and nothing is left behind, but
# with --keep.
set -eu

usage() {
    cat <<'END'
usage: tools/demo.sh [--keep] [--build DIR]

Builds spean and shows a referral that crosses the border, between five nodes on this machine.
    --keep        leave the nodes running, and say how to talk to each and how to end them
    --build DIR   build nothing: take the programs that are built in DIR, such as build/dev
Exit status: 0 everything was as it should be, 1 something was not, 2 wrong use.
END
}

keep=no
built=
while [ $# -gt 0 ]; do
    case $1 in
    --keep) keep=yes ;;
    --build)
        shift
        if ! built=$(cd "${1:-}/." 2>/dev/null && pwd) ||
            ! [ -x "$built/tools/spean" ] || ! [ -x "$built/node/speand" ]; then
            echo "demo: --build ${1:-}: spean and speand are not built there" >&2
            exit 2
        fi
        ;;
    --help)
        usage
        exit 0
        ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
    shift
done

exec 3>&2 # Where failures go, also while output is kept.
umask 077
cd "$(dirname "$0")/.."
root=$PWD
samples=$root/tools/demo
bin=${built:-$root/build/release}
scratch=
pids=
marker=LEAKMARKER5736 # In every text about the person of the samples.
nodes="phnompenh laptop hanoi tokyo jakarta"

# -- Building ----------------------------------------------------------------------------------

build() {
    tools/packages.sh build
    launcher=
    if command -v ccache >/dev/null 2>&1; then
        launcher=-DCMAKE_C_COMPILER_LAUNCHER=ccache
    fi
    tests=OFF # They need packages of their own; where these are, a build folder keeps its tests.
    if pkg-config --exists cmocka; then
        tests=ON
    fi
    mkdir -p "$bin"
    echo "Building spean (the first time takes a minute or two) ..."
    # shellcheck disable=SC2086 # No launcher is no word.
    if ! { cmake --preset release -DSPEAN_TESTS=$tests $launcher &&
        cmake --build --preset release --target speand spean; } >"$bin/demo.log" 2>&1; then
        tail -40 "$bin/demo.log" >&2
        fail "it does not build; the whole output is in build/release/demo.log"
    fi
}

# -- Telling -----------------------------------------------------------------------------------

chapter() {
    printf '\n%s\n%s\n' "$1" "$(printf '%s' "$1" | sed 's/./-/g')"
}

say() {
    printf '%s\n' "$*"
}

fail() {
    printf '\ndemo: %s\n' "$*" >&3
    exit 1
}

# The name of a node as people say it.
called() {
    case $1 in
    phnompenh) echo "Phnom Penh" ;;
    laptop) echo "Second laptop" ;;
    hanoi) echo "Hanoi" ;;
    tokyo) echo "Tokyo" ;;
    jakarta) echo "Jakarta" ;;
    esac
}

# Where everything lies is of no interest to who reads the story.
shortened() {
    sed "s|$scratch/||g; s|$samples/|tools/demo/|g"
}

# The words of a command as one would type them.
typed() {
    for word in "$@"; do
        case $word in
        *" "* | *"'"*) printf ' "%s"' "$word" ;;
        *) printf ' %s' "$word" ;;
        esac
    done | shortened
}

# -- Running -----------------------------------------------------------------------------------

# spean for a node; the files that scripts answer with are added where a command asks for them.
spean() {
    node=$1
    shift
    "$bin/tools/spean" "$@" --home "$scratch/$node/home"
}

# Tell that somebody types a command, and what came of it. The exit status must be $expect, or 0.
run() {
    node=$1
    shift
    told "$node" "$@"
    keep_output "${expect:-0}" "$node" "$@"
    came_of_it
}

told() {
    printf '\n%s $ spean%s\n' "$(called "$1")" "$(shift && typed "$@")"
}

shown() {
    shortened | sed '/^$/d; s/^/    /'
}

# The same with the flags that give the admin key and its passphrase, which are not shown.
run_admin() {
    node=$1
    shift
    told "$node" "$@"
    keep_output 0 "$node" "$@" --admin-key "$scratch/$node/admin.key" \
        --admin-passphrase-file "$scratch/$node/passphrase"
    came_of_it
}

# Results first, then the talk about them.
came_of_it() {
    cat "$scratch/out" "$scratch/talk" | shown
}

# Run spean for a node, its output into files; it must end with the exit status given first.
keep_output() {
    wanted=$1
    shift
    got=0
    spean "$@" >"$scratch/out" 2>"$scratch/talk" || got=$?
    if [ "$got" -ne "$wanted" ]; then
        came_of_it >&3
        fail "$(called "$1"): \"spean $2 ${3-}\" ended with $got instead of $wanted"
    fi
}

# The text with this key in the JSON object on standard input; items_of: in each item of its list.
text_of() {
    sed -n "s/^  \"$1\": \"\\(.*\\)\",\\{0,1\\}\$/\\1/p"
}

items_of() {
    sed -n "s/^      \"$1\": \"\\(.*\\)\",\\{0,1\\}\$/\\1/p"
}

# Look until a command succeeds; give up after a minute.
until_true() {
    what=$1
    shift
    tries=600
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || fail "not within a minute: $what"
        sleep 0.1
    done
}

# A port of this machine that nobody listens on, below those that outgoing connections are given,
# and that no other node of the demo is to have.
free_port() {
    while :; do
        port=$(($(od -An -N2 -tu2 /dev/urandom) % 22528 + 10240))
        if ! grep -qis ":$(printf %04X "$port") " /proc/net/tcp /proc/net/tcp6 &&
            ! grep -qsx "$port" "$scratch"/*/port; then
            echo "$port"
            return
        fi
    done
}

start() {
    node=$1
    address=127.0.0.1:$(cat "$scratch/$node/port")
    setsid "$bin/node/speand" --home "$scratch/$node/home" --listen "$address" \
        --advertise "$address" --credential "$scratch/$node/credential" \
        >>"$scratch/$node/log" 2>&1 </dev/null &
    echo $! >"$scratch/$node/pid"
    pids="$pids $!"
    until_true "$(called "$node") answers" spean "$node" status --quiet --json
}

# What has ended is not to be killed at the end: its id may be another process's by then.
forget() {
    left=
    for pid in $pids; do
        [ "$pid" = "$1" ] || left="$left $pid"
    done
    pids=$left
}

# End a node cleanly, as the system does.
stop() {
    ended=$(cat "$scratch/$1/pid")
    kill "$ended" 2>/dev/null || true
    wait "$ended" || fail "$(called "$1")'s daemon did not end cleanly"
    forget "$ended"
}

leave() {
    status=$?
    trap - EXIT INT TERM
    if [ "$keep" = yes ] && [ "$status" -eq 0 ]; then
        exit 0
    fi
    for pid in $pids; do
        kill "$pid" 2>/dev/null || true
    done
    wait
    if [ "$status" -ne 0 ] && [ -n "$scratch" ]; then
        for node in $nodes; do
            echo "--- the end of $(called "$node")'s log" >&2
            tail -5 "$scratch/$node/log" >&2 2>/dev/null || true
        done
    fi
    [ -z "$scratch" ] || rm -rf "$scratch"
    exit "$status"
}

# -- The story ---------------------------------------------------------------------------------

prepare() {
    for node in $nodes; do
        mkdir "$scratch/$node"
        head -c 32 /dev/urandom >"$scratch/$node/credential"
        printf 'recovery.words: @%s\n' "$scratch/$node/sheet" >"$scratch/$node/answers"
        printf 'a passphrase of %s\n' "$node" >"$scratch/$node/passphrase"
        free_port >"$scratch/$node/port"
    done
}

set_up() {
    node=$1
    told "$node" init --org "$2" --country "$3"
    keep_output 0 "$node" init --org "$2" --country "$3" --credential \
        "$scratch/$node/credential" --sheet "$scratch/$node/sheet" --answers \
        "$scratch/$node/answers" --admin-key "$scratch/$node/admin.key" \
        --admin-passphrase-file "$scratch/$node/passphrase"
    came_of_it
    start "$node"
}

has_digits() {
    grep -q "[0-9]\{4\} [0-9]\{4\}" "$1"
}

# Take a node into the ledger of Phnom Penh.
join() {
    guest=$1
    run phnompenh member invite --out "$scratch/for-$guest.txt"
    told "$guest" member join --file "$scratch/for-$guest.txt"
    : >"$scratch/joining"
    spean "$guest" member join --file "$scratch/for-$guest.txt" --wait 60 --admin-key \
        "$scratch/$guest/admin.key" --admin-passphrase-file "$scratch/$guest/passphrase" \
        >"$scratch/joining" 2>/dev/null &
    joining=$!
    pids="$pids $joining"
    until_true "$(called "$guest") has digits" has_digits "$scratch/joining"
    shown <"$scratch/joining"
    digits=$(sed -n 's/.*\([0-9]\{4\} [0-9]\{4\}\).*/\1/p' "$scratch/joining" | head -n 1)
    org=$(spean phnompenh member pending --json | items_of org)
    say ""
    say "$(called "$guest") reads the digits out on the telephone; Phnom Penh types them:"
    run_admin phnompenh member approve "$(printf %.8s "$org")" --digits "$digits"
    wait "$joining" || fail "$(called "$guest") did not become a member"
    forget "$joining"
    echo "$org" >"$scratch/$guest/org"
}

# How many entries of a kind a node has, in all logs.
entries_of() {
    for log in $(spean "$1" log list --json | items_of id); do
        spean "$1" log show "$log" --json
    done | grep -c "\"kind\": \"$2\"" || true
}

state_is() {
    [ "$(spean "$1" referral show "$referral" --json | text_of state)" = "$2" ]
}

details_are_there() {
    spean "$1" referral show "$referral" | grep -q "JPY 573,607"
}

expect_state() {
    until_true "$(called "$1") sees \"$2\"" state_is "$1" "$2"
    say ""
    say "$(called "$1") sees it: $2"
}

found_and_join() {
    chapter "Three organisations set up their nodes, and a fourth that will carry for them"
    say "Each writes its recovery words on paper and types them back; here files answer for people."
    set_up phnompenh "Bridge Legal Aid Phnom Penh" KH
    set_up hanoi "Hanoi Workers' Centre" VN
    set_up tokyo "Tokyo Migrant Support" JP
    set_up jakarta "Jakarta Relay" ID

    chapter "Phnom Penh founds a ledger; the others join it"
    run_admin phnompenh ledger found --name "Mekong Referral Ledger"
    join hanoi
    join tokyo
    join jakarta
}

name_relay() {
    chapter "Jakarta's computer runs day and night: it becomes the relay"
    run_admin phnompenh member relay add "$(printf %.8s "$(cat "$scratch/jakarta/org")")"
    run phnompenh member list
    until_true "Jakarta knows that it is the relay" is_relay
}

is_relay() {
    spean jakarta member list --json | grep -q '"relay": true'
}

write_agencies() {
    chapter "Agencies, in four languages, for everybody"
    for lang in km vi ja en; do
        run phnompenh agency import "$samples/agencies-$lang.json" --lang "$lang"
    done
    until_true "Hanoi has the agencies" has_agencies
    run hanoi agency list
}

has_agencies() {
    [ "$(spean hanoi agency list --json | grep -c '"id":')" -ge 10 ]
}

write_case() {
    chapter "A person comes to Phnom Penh (and does not exist: everything here is made up)"
    told phnompenh case add --from "$samples/case.json"
    keep_output 0 phnompenh case add --from "$samples/case.json" --json
    case=$(text_of code <"$scratch/out")
    say "    case $case; nobody but Phnom Penh has it"
    told phnompenh case show "$case"
    keep_output 0 phnompenh case show "$case"
    say "    (its costs)"
    sed -n '/^COST/,$p' "$scratch/out" | shown
    grep -q "JPY 573,607" "$scratch/out" || fail "the costs do not add up to JPY 573,607"

    told phnompenh consent record --case "$case" --from "$samples/consent.json" \
        --to "$(printf %.8s "$tokyo_org")"
    keep_output 0 phnompenh consent record --case "$case" --from "$samples/consent.json" \
        --to "$tokyo_org" --json
    consent=$(text_of id <"$scratch/out")
    say "    consent $(printf %.8s "$consent"): Tokyo may see costs, identity and what happened"
}

refer() {
    chapter "Phnom Penh refers the person to Tokyo, while Hanoi's laptop is switched off"
    stop hanoi
    told phnompenh referral create --from "$samples/referral.json" --case "$case" \
        --to "$(printf %.8s "$tokyo_org")" --consent "$(printf %.8s "$consent")"
    keep_output 0 phnompenh referral create --from "$samples/referral.json" --case "$case" \
        --to "$tokyo_org" --consent "$consent" --respond-by 72h --json
    referral=$(text_of code <"$scratch/out")
    say "    draft $referral; nobody sees a draft"
    run phnompenh referral preview "$referral"
    run phnompenh referral send "$referral"

    expect_state tokyo sent
    run tokyo referral inbox
    run tokyo referral receive "$referral"
    if details_are_there tokyo; then
        fail "Tokyo has the details before it accepted"
    fi
    say ""
    say "Tokyo holds the ciphertext of the details, and not their key. It accepts:"
    run tokyo referral accept "$referral" --assigned worker-3 --first-contact-by 2035-11-25
    until_true "Tokyo can read the details" details_are_there tokyo
    say ""
    say "Phnom Penh's node has seen that, and has handed Tokyo the key:"
    told tokyo referral show "$referral"
    spean tokyo referral show "$referral" >"$scratch/out"
    sed -n '/^COST/,/^everything/p' "$scratch/out" | shown
    run tokyo referral start "$referral"
    expect_state phnompenh in_progress
}

# Whether a node and Jakarta hold the same.
carried() {
    [ "$(spean jakarta status --json | text_of digest)" = \
        "$(spean "$1" status --json | text_of digest)" ]
}

came_by_relay() {
    spean "$1" status | grep "$2" | grep -q "relay"
}

finish_through_relay() {
    chapter "Phnom Penh goes home; Tokyo works on. From here on the two are never online together"
    until_true "Jakarta has what Phnom Penh wrote" carried phnompenh
    stop phnompenh
    run tokyo referral complete "$referral" --outcome remedy_obtained --service fee_refund
    until_true "Jakarta has what Tokyo wrote" carried tokyo
    stop tokyo
    say ""
    say "Tokyo goes home, too. Nobody who can read the referral is online: Jakarta has it, sealed."
    if spean jakarta referral show "$referral" >/dev/null 2>&1; then
        fail "Jakarta can show the referral"
    fi
    say ""
    say "The next morning in Phnom Penh:"
    start phnompenh
    expect_state phnompenh completed
    came_by_relay phnompenh "Tokyo" || fail "Phnom Penh does not say that this came by the relay"
    expect=$(spean phnompenh status >/dev/null 2>&1 && echo 0 || echo $?)
    run phnompenh status
    expect=0
    run phnompenh referral close "$referral" --client-informed yes --next-step none
    until_true "Jakarta has the end of it" carried phnompenh
    stop phnompenh
    start tokyo
    expect_state tokyo closed
    start phnompenh
}

# The case or the referral as a person reads it, without what each machine sees of its own way there.
readable() {
    spean "$1" "$2" show "$3" --json | sed -n '/^  "fields": {/,/^  }/p'
}

reads_the_same() {
    readable phnompenh "$2" "$3" >"$scratch/of-first"
    readable "$1" "$2" "$3" >"$scratch/of-other"
    [ -s "$scratch/of-first" ] && cmp "$scratch/of-first" "$scratch/of-other"
}

knocks() {
    spean phnompenh node list --json | grep -q '"standing": "waiting"'
}

is_one_of_us() {
    spean phnompenh node list | grep "reception" | grep -q " open "
}

# The digits that the second laptop shows, typed at the first one.
take_in() {
    told laptop node join --file "$scratch/for-laptop.txt"
    : >"$scratch/joining"
    spean laptop node join --file "$scratch/for-laptop.txt" --wait 60 >"$scratch/joining" \
        2>/dev/null &
    joining=$!
    pids="$pids $joining"
    until_true "the second laptop has digits" has_digits "$scratch/joining"
    until_true "the second laptop knocks" knocks
    shown <"$scratch/joining"
    digits=$(sed -n 's/.*\([0-9]\{4\} [0-9]\{4\}\).*/\1/p' "$scratch/joining" | head -n 1)
    key=$(spean laptop status --json | text_of node)
    say ""
    say "Both stand on one table; whoever holds the admin key compares the digits, and types them:"
    run_admin phnompenh node approve "$(printf %.8s "$key")" --digits "$digits"
    wait "$joining" || fail "the second laptop did not become one of Phnom Penh's"
    forget "$joining"
}

second_laptop() {
    chapter "A colleague joins Phnom Penh, with a laptop that has never seen any of this"
    run phnompenh node invite --out "$scratch/for-laptop.txt"
    say ""
    say "On the new laptop, first an empty node with keys of its own, then its daemon, then the knock:"
    told laptop node join --file "$scratch/for-laptop.txt"
    keep_output 3 laptop node join --file "$scratch/for-laptop.txt" --credential \
        "$scratch/laptop/credential"
    came_of_it
    start laptop
    if spean laptop case show "$case" >/dev/null 2>&1; then
        fail "the second laptop reads a case before anybody let it in"
    fi
    take_in
    run phnompenh node rename "$(printf %.8s "$key")" reception-laptop
    until_true "the second laptop is one of ours" is_one_of_us
    run phnompenh node list

    until_true "the second laptop reads the case" reads_the_same laptop case "$case"
    until_true "the second laptop reads the referral" reads_the_same laptop referral "$referral"
    [ "$(entries_of phnompenh org_key_grant)" -eq 1 ] || fail "it took more than one grant of keys"
    say ""
    say "The office's keys came in one grant. The laptop reads what was written before it came:"
    run laptop case list
    told laptop referral show "$referral"
    keep_output 0 laptop referral show "$referral"
    sed -n '/^COST/,/^everything/p' "$scratch/out" | shown
    grep -q "JPY 573,607" "$scratch/out" || fail "the second laptop lacks the referral's costs"
    say "    (what both laptops show of the case and of the referral is the same)"
}

in_step() {
    digests=$(for node in $nodes; do spean "$node" status --json | text_of digest; done | sort -u)
    [ -n "$digests" ] && [ "$(echo "$digests" | wc -l)" -eq 1 ]
}

all_in_step() {
    in_step && for node in $nodes; do
        spean "$node" sync now --wait 5 || return 1
    done
}

catch_up() {
    chapter "Hanoi comes back and catches up"
    start hanoi
    until_true "all five are in step" all_in_step
    for node in $nodes; do
        expect=$(spean "$node" status >/dev/null 2>&1 && echo 0 || echo $?)
        [ "$expect" -eq 0 ] || [ "$expect" -eq 3 ] || fail "$(called "$node") has no status"
        run "$node" status
        say "    Digest:  $(spean "$node" status --json | text_of digest)"
    done
    expect=0
    in_step || fail "the digests differ"
    for node in $nodes; do
        keep_output 0 "$node" verify
    done
    say ""
    say "The five hold the same, and every hash and signature of it was checked once more."
}

# -- The proof about Hanoi ---------------------------------------------------------------------

# "LOG SEQ KIND FATE BODY" of every sealed entry, as a node sees it.
sealed() {
    node=$1
    for log in $(spean "$node" log list --json | items_of id); do
        spean "$node" log show "$log" --json | tr -d '",' | awk -v id="$log" '
            $1 == "seq:" { seq = $2; tag = "null" }
            $1 == "kind:" { kind = $2 }
            $1 == "tag:" { tag = $2 }
            $1 == "body:" { body = $2 }
            $1 == "fate:" { if (tag != "null") print id, seq, kind, $2, body }'
    done
}

# Every byte of a node's files, as one line of hex digits. What repeats is "*", as od has it: else
# the zeros that a node keeps in reserve would be most of it, and nothing sealed repeats.
hex_of() {
    for file in "$scratch/$1"/home/store/*; do
        od -An -tx1 "$file" | tr -d ' \n'
    done
    echo
}

prove() {
    chapter "What did Hanoi learn, and what did Jakarta?"
    for node in $nodes; do
        sealed "$node" >"$scratch/$node/sealed"
        hex_of "$node" >"$scratch/$node/hex"
    done
    if grep -q -v " none " "$scratch/hanoi/sealed"; then
        fail "Hanoi's keys open something that is sealed"
    fi
    if grep -q -v " none " "$scratch/jakarta/sealed"; then
        fail "Jakarta's keys open something that is sealed"
    fi
    for node in hanoi jakarta; do
        if spean "$node" referral show "$referral" >/dev/null 2>&1; then
            fail "$(called "$node") can show the referral"
        fi
    done
    grants=$(grep -c "grant none " "$scratch/hanoi/sealed")
    say "Hanoi and Jakarta have every header, and $grants grants of keys: none opens with a key of theirs."

    shared=0
    relayed=0
    while read -r log seq kind _ _; do
        [ "$kind" = change ] || continue
        spean phnompenh log show "$log" "$seq" --json | text_of stored >"$scratch/body"
        [ -s "$scratch/body" ] || fail "Phnom Penh lacks a body of its own"
        grep -qFf "$scratch/body" "$scratch/phnompenh/hex" ||
            fail "a body of Phnom Penh's is not in its own files"
        if grep -qFf "$scratch/body" "$scratch/hanoi/hex"; then
            fail "Hanoi holds the ciphertext of entry $seq"
        fi
        grep -qFf "$scratch/body" "$scratch/jakarta/hex" || fail "Jakarta lacks entry $seq"
        relayed=$((relayed + 1))
        if grep -q "^$log $seq change folded held" "$scratch/tokyo/sealed"; then
            grep -qFf "$scratch/body" "$scratch/tokyo/hex" || fail "Tokyo lacks entry $seq"
            shared=$((shared + 1))
        elif grep -qFf "$scratch/body" "$scratch/tokyo/hex"; then
            fail "Tokyo holds the ciphertext of entry $seq, which is not for it"
        fi
    done <"$scratch/phnompenh/sealed"
    [ "$shared" -ge 8 ] || fail "the referral has only $shared sealed bodies"
    say "The referral's $shared sealed bodies, taken from Phnom Penh's store, are in Tokyo's files"
    say "byte for byte; none of them is anywhere in Hanoi's. Jakarta's have them, and everything else"
    say "that is sealed: $relayed ciphertexts, to which it has no key."

    for node in $nodes; do
        if grep -rqaF "$marker" "$scratch/$node/home" "$scratch/$node/log"; then
            fail "a text about the person lies readable in $(called "$node")'s files"
        fi
    done
    say "No text about the person lies readable in anybody's files, Phnom Penh's own included."
}

farewell() {
    chapter "The nodes go on running"
    for node in $nodes; do
        say "$(called "$node"):  $bin/tools/spean --home $scratch/$node/home status"
    done
    say ""
    say "The admin keys' passphrases are in $scratch/*/passphrase."
    say "To end them:  kill $(cat "$scratch"/*/pid | tr '\n' ' ')&& rm -r $scratch"
}

trap leave EXIT
trap 'exit 1' INT TERM
[ -n "$built" ] || build
scratch=$(mktemp -d "${TMPDIR:-/tmp}/spean-demo.XXXXXX")
prepare
found_and_join
name_relay
write_agencies
tokyo_org=$(cat "$scratch/tokyo/org")
write_case
refer
finish_through_relay
second_laptop
catch_up
prove
if [ "$keep" = yes ]; then
    farewell
fi
say ""
say "Done: everything was as it should be."
