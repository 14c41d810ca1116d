#!/bin/sh
# The tests under sanitizers: tools/sanitize.sh [address|thread]...
#
# build-asan: AddressSanitizer with leaks, and UndefinedBehaviorSanitizer; build-tsan: ThreadSanitizer. Any report
# fails the test that met it. SANITIZE_CC and SANITIZE_CXX choose the compiler (clang-14, else gcc).
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
if command -v clang-14 >/dev/null; then
	cc=${SANITIZE_CC:-clang-14} cxx=${SANITIZE_CXX:-clang++-14}
else
	cc=${SANITIZE_CC:-gcc} cxx=${SANITIZE_CXX:-g++}
fi
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1:exitcode=99
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1:exitcode=99
export TSAN_OPTIONS=halt_on_error=1:exitcode=99

[ $# -gt 0 ] || set -- address thread
for kind in "$@"; do
	case $kind in
	address) build=${SANITIZE_BUILD:-$root/build}-asan sanitizers=address,undefined ;;
	thread) build=${SANITIZE_BUILD:-$root/build}-tsan sanitizers=thread ;;
	*) echo "usage: sanitize.sh [address|thread]..." >&2 && exit 2 ;;
	esac
	[ -f "$build/build.ninja" ] ||
		CC=$cc CXX=$cxx meson setup "$build" "$root" -Dbuildtype=debugoptimized -Db_sanitize=$sanitizers -Db_lundef=false
	ninja -C "$build"
	# Fuzzing has a build of its own; everything takes several times as long.
	meson test -C "$build" --no-suite fuzz --timeout-multiplier 10 --print-errorlogs
done
