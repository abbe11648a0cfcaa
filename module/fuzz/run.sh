#!/bin/bash
# Fuzzes the module's parts that know nothing of nginx, beginning with the
# saved inputs.  Needs clang.
#
#   run.sh [--seconds N | --runs N] [TARGET...]
#
# TARGET is one of those in the file "targets" (default: all of them, one after
# another); each runs for N seconds or N executions (default: --seconds 60).
# Inputs that reach new code are kept in corpus/TARGET, as few as will do; one
# that fails is left in the current folder, and its name is printed.
set -euo pipefail

die() {
    echo "run.sh: $1" >&2
    exit 1
}

fuzz=$(cd "$(dirname "$0")" && pwd)
limit=-max_total_time=60

case "${1:-}" in
--seconds | --runs)
    [[ "${2:-}" =~ ^[1-9][0-9]*$ ]] ||
        die "$1: not a number, got \"${2:-}\"; use a whole number from 1 ($1 60)"
    if [ "$1" = --seconds ]; then limit=-max_total_time=$2; else limit=-runs=$2; fi
    shift 2
    ;;
esac

all=$(awk '!/^#/ { print $1 }' "$fuzz/targets")

for target in "$@"; do
    grep -qx -- "$target" <<<"$all" ||
        die "TARGET: no such target, got \"$target\"; use one of: ${all//$'\n'/, }"
done

command -v clang >/dev/null || die "clang is missing; install it (apt-get install clang)"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# freed memory is kept apart for a while; the default of 256 MiB only costs
export ASAN_OPTIONS=${ASAN_OPTIONS:-quarantine_size_mb=16}

# The smallest set of inputs that reaches what all of them reach.
minimize() {
    local corpus=$1

    mkdir -p "$work/least" "$corpus"
    "$work/fuzz" -set_cover_merge=1 "$work/least" "$corpus" "$work/new" >"$work/log" 2>&1 || {
        cat "$work/log" >&2
        die "the inputs could not be merged; the output is above"
    }
    find "$corpus" -type f -delete
    find "$work/least" -type f -exec cp -t "$corpus" {} +
}

run() {
    local target=$1 longest=$2 sources=() source began
    shift 2

    for source in "$@"; do
        sources+=("$fuzz/../src/$source.c")
    done

    clang -std=gnu11 -g -O2 -Wall -Wextra -Werror \
        -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
        -o "$work/fuzz" "$fuzz/$target.c" "${sources[@]}" -lcrypto -lz

    local options=("$limit" -max_len="$longest" -print_final_stats=1)
    [ ! -f "$fuzz/$target.dict" ] || options+=(-dict="$fuzz/$target.dict")

    mkdir -p "$work/new" "$fuzz/corpus/$target"
    began=$SECONDS

    "$work/fuzz" "${options[@]}" "$work/new" "$fuzz/corpus/$target" >"$work/log" 2>&1 || {
        grep -v '^#' "$work/log" >&2
        die "$target failed; what it said, and the file with the input, are above"
    }

    local runs
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log")
    began=$((SECONDS - began))

    minimize "$fuzz/corpus/$target"
    echo "$target: $runs executions in $began s, nothing found;" \
        "$(find "$fuzz/corpus/$target" -type f | wc -l) inputs kept"

    rm -rf "$work/new" "$work/least"
}

while read -r target longest sources; do
    [[ "$target" != "#"* ]] || continue
    if [ $# -eq 0 ] || grep -qx -- "$target" <<<"$(printf '%s\n' "$@")"; then
        # shellcheck disable=SC2086
        run "$target" "$longest" $sources
    fi
done <"$fuzz/targets"
