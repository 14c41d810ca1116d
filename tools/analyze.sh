#!/bin/sh
# Static analysis of src/ and sim/: tools/analyze.sh [clang-tidy|cppcheck|gcc]...
#
# Which checks, and why those: .clang-tidy, tools/cppcheck.suppressions. Any report fails.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
build=${ANALYZE_BUILD:-$root/build-analyze}
failed=0
[ $# -gt 0 ] || set -- clang-tidy cppcheck gcc
for tool in clang-tidy-14 clang-14 cppcheck gcc; do
	command -v $tool >/dev/null || { echo "analyze: $tool is not installed: apt-get install clang-tidy-14 clang-14 cppcheck" >&2 && exit 2; }
done

[ -f "$build/build.ninja" ] || CC=clang-14 CXX=clang++-14 meson setup "$build" "$root" -Dbuildtype=debugoptimized
# What is generated has to be there to be included.
ninja -C "$build" libpinwatch_core.a >/dev/null
sources=$(cd "$root" && find src sim -name '*.c' -o -name '*.cc' | sort)
jobs=${JOBS:-$(nproc)}

for tool in "$@"; do
	echo "== $tool"
	case $tool in
	clang-tidy)
		(cd "$root" && printf '%s\n' $sources | xargs -P "$jobs" -n 4 clang-tidy-14 -p "$build" --quiet \
			--warnings-as-errors='*' 2>/dev/null) || failed=1
		;;
	cppcheck)
		(cd "$root" && cppcheck -q -j "$jobs" --project="$build/compile_commands.json" --inline-suppr \
			--enable=warning,performance,portability --error-exitcode=1 --library=posix \
			--suppressions-list=tools/cppcheck.suppressions --file-filter="$root/src/*" --file-filter="$root/sim/*") || failed=1
		;;
	gcc)
		# -fanalyzer of gcc 12 knows C only, and takes what an inlined function returns by value for uninitialised.
		(cd "$root" && printf '%s\n' $sources | grep '\.c$' | xargs -P "$jobs" -I{} gcc -std=c17 -D_GNU_SOURCE -O2 -Wall -Wextra \
			-Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror -fanalyzer -Wno-analyzer-use-of-uninitialized-value \
			-DPINWATCH_VERSION='"0"' -Isrc -I. -I"$build" $(pkg-config --cflags smartcols uuid) -c {} -o /dev/null) || failed=1
		;;
	*) echo "usage: analyze.sh [clang-tidy|cppcheck|gcc]..." >&2 && exit 2 ;;
	esac
done
exit $failed
