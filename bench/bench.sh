#!/bin/sh
# make bench: builds what it needs in the build folder, then measures.
# --write also writes docs/bench.md.
set -eu

build=$1
shift
ninja -C "$build" pinwatch bench/speed bench/simdjson_alone bench/stages >/dev/null
exec /usr/bin/python3 -B "$(dirname "$0")/bench.py" "$build" "$@"
