#!/bin/sh
# make bench: builds what it needs in the build folder, then measures.
# --write also writes docs/bench.md and docs/bench-formats.md.
set -eu

build=$1
shift
ninja -C "$build" pinwatch bench/speed bench/simdjson_alone bench/stages >/dev/null
/usr/bin/python3 -B "$(dirname "$0")/bench.py" "$build" "$@"
exec /usr/bin/python3 -B "$(dirname "$0")/formats.py" "$build" "$@"
