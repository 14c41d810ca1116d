#!/bin/sh
# Writes docs/formats/ from formats/*.yaml: tools/docs.sh [DIR]
set -eu

cd "$(dirname "$0")/.."
exec /usr/bin/python3 -B tools/format_pages.py formats "${1:-docs/formats}"
