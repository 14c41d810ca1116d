#!/bin/sh
# make peers: fetches the other tools, builds what it needs, then measures. Takes about a quarter of an
# hour, and as long again the first time. --write also writes docs/peers.md.
# PINWATCH_PEERS: where the tools lie; without it a folder of the build.
set -eu

build=$1
shift
here=$(dirname "$0")
peers=${PINWATCH_PEERS:-$build/peers}
sh "$here/install.sh" "$peers"
ninja -C "$build" pinwatch bench/peers_rule >/dev/null
exec /usr/bin/python3 -B "$here/run.py" "$build" "$peers" "$@"
