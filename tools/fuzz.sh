#!/bin/sh
# Fuzzes every parser and the engine: tools/fuzz.sh [--short] [--build DIR] [TARGET...]
#
# Each target of tests/fuzz/ runs for FUZZ_SECONDS (an hour; with --short two seconds) over seeds made from the
# test cases, what earlier runs have found worth keeping (DIR/corpus) and the inputs that once showed a fault
# (tests/fuzz/regressions). What shows a new one is kept in DIR/found. Output is TAP.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
build=${FUZZ_BUILD:-$root/build-fuzz}
seconds=${FUZZ_SECONDS:-3600}
seed=0
targets=
while [ $# -gt 0 ]; do
	case $1 in
	--short) seconds=${FUZZ_SECONDS:-2} seed=1 ;; # the same every time: new ground is for the long run
	--build) build=$2 && shift ;;
	*) targets="$targets $1" ;;
	esac
	shift
done

mkdir -p "$build"
probe=$build/probe
echo 'int LLVMFuzzerTestOneInput(const unsigned char *p, unsigned long n) { return p == 0 && n > 0; }' >"$probe.c"
if ! clang-14 -fsanitize=fuzzer,address,undefined "$probe.c" -o "$probe" 2>/dev/null; then
	echo "1..0 # SKIP clang-14 with libclang-rt-14-dev is not installed (tools/install-deps.sh)"
	exit 0
fi
if [ ! -f "$build/build.ninja" ]; then
	flags=-fsanitize=fuzzer-no-link
	CC=clang-14 CXX=clang++-14 meson setup "$build" "$root" -Dbuildtype=debugoptimized -Dc_args=$flags \
		-Dcpp_args=$flags -Db_sanitize=address,undefined -Db_lundef=false >&2
fi
ninja -C "$build" fuzz_targets >&2
rm -rf "$build/seeds"
python3 -B "$root/tests/fuzz/seeds.py" "$build/seeds"
[ -n "$targets" ] || targets=$(ls "$build/seeds")

export ASAN_OPTIONS="detect_leaks=1:allocator_may_return_null=1:${ASAN_OPTIONS:-}"
export UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1:${UBSAN_OPTIONS:-}"
# shellcheck disable=SC2086
set -- $targets
echo "1..$#"
number=0
failed=0
for target in "$@"; do
	number=$((number + 1))
	case $target in # targets that share a vocabulary
	delimited | keyvalue | text | tsv_header) words=records ;;
	grid | list) words=conf ;;
	*) words=$target ;;
	esac
	words=$root/tests/fuzz/dict/$words.dict
	[ -f "$words" ] && words=-dict=$words || words=
	found=$build/found/$target
	corpus=$build/corpus/$target
	mkdir -p "$found" "$corpus"
	set -- "$corpus" "$build/seeds/$target"
	[ ! -d "$root/tests/fuzz/regressions/$target" ] || set -- "$@" "$root/tests/fuzz/regressions/$target"
	# Entropic scheduling costs more than it finds where one input reaches thousands of branches.
	# shellcheck disable=SC2086
	if "$build/tests/fuzz/fuzz_$target" $words -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 \
		-max_len=8192 -entropic=0 -seed=$seed -artifact_prefix="$found/" -print_final_stats=1 "$@" \
		</dev/null >"$build/$target.log" 2>&1; then
		echo "ok $number - $target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$target.log") inputs"
	else
		failed=1
		echo "not ok $number - $target: the input that shows it is in $found"
		grep -aE 'does not hold|runtime error|ERROR:|SUMMARY:|^    #[0-9]+ .* in [a-z_]+ /' "$build/$target.log" |
			head -n 40 | sed 's/^/# /'
	fi
done
exit $failed
