#!/bin/sh
# Builds everything with gcc and with clang, warnings being errors.
set -eu

for compiler in gcc:g++ clang-14:clang++-14; do
	cc=${compiler%:*}
	cxx=${compiler#*:}
	command -v "$cc" >/dev/null || { echo "strict: $cc is not installed; tools/install-deps.sh installs it" >&2; exit 1; }
	build=build-strict-${cc%%-*}
	[ -d "$build" ] || CC=$cc CXX=$cxx meson setup "$build" --werror >/dev/null
	ninja -C "$build" >"$build/strict.log" 2>&1 || { tail -40 "$build/strict.log"; exit 1; }
	echo "$cc: no warnings"
done
