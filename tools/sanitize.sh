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
# ThreadSanitizer's own memmem looks at all bytes behind the place where a search begins, found or not: many short
# searches through one long record take the square of its length, minutes instead of a second.
export TSAN_OPTIONS=halt_on_error=1:exitcode=99:intercept_memmem=0
# Everything takes several times as long: tests that wait or measure wait so much longer (tests/patience.py).
export TEST_SLOWNESS=10

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
	# Fuzzing has a build of its own.
	meson test -C "$build" --no-suite fuzz --timeout-multiplier "$TEST_SLOWNESS" --print-errorlogs
done
