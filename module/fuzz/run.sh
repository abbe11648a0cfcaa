#!/bin/bash
# Fuzzes the form parsers, beginning with the saved corpus.
#
#   run.sh [SECONDS]      (default: 60; needs clang)
#
# New inputs that reach new code are added to the corpus; an input that fails
# is left in the current folder.
set -euo pipefail

seconds=${1:-60}
fuzz=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

command -v clang >/dev/null || {
    echo "run.sh: clang is missing; install it (apt-get install clang)" >&2
    exit 1
}

clang -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
    -o "$work/multipart" "$fuzz/multipart.c" \
    "$fuzz/../src/upload_multipart.c" "$fuzz/../src/upload_header.c"

mkdir "$work/new"
"$work/multipart" -max_total_time="$seconds" -dict="$fuzz/multipart.dict" -max_len=4096 \
    -print_final_stats=1 "$work/new" "$fuzz/corpus"
"$work/multipart" -merge=1 "$fuzz/corpus" "$work/new"
