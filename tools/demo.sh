#!/bin/sh
# The sample fleet, analysed: 40 phones over five days, made by the simulator from a fixed seed.
set -eu

pinwatch=$1
fleet=${2:-pinwatch-demo}

rm -rf "$fleet"
"$pinwatch" sim --seed 1 --garbage --disorder --out "$fleet" >/dev/null
"$pinwatch" scan -c "$fleet/pinwatch.yaml" || [ $? -eq 4 ]
"$pinwatch" scan -q -c "$fleet/pinwatch.yaml" --output html >"$fleet.html" || [ $? -eq 4 ]
echo "the same as a page: $fleet.html" >&2
