#!/bin/sh
# Fetches what pinwatch is measured against into DIR: `install.sh DIR`. Debian packages are installed,
# everything else goes into DIR, in the versions given here. What cannot be had is named in
# DIR/TOOL.missing, with the reason, which the table then prints.
set -eu

dir=$(mkdir -p "$1" && cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
duckdb=1.5.6
rsigma=0.23.0

missing() { # TOOL REASON
	echo "$2" >"$dir/$1.missing"
	echo "peers: $1: $2" >&2
}

packages="sqlite3 mawk sec syslog-ng-core time util-linux python3-pip"
command -v mvn >/dev/null || packages="$packages maven"
command -v javac >/dev/null || packages="$packages default-jdk-headless"
absent=
for package in $packages; do
	status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
	[ "$status" = "install ok installed" ] || absent="$absent $package"
done
if [ -n "$absent" ]; then
	sudo=
	[ "$(id -u)" -eq 0 ] || sudo=sudo
	echo "installing:$absent" >&2
	$sudo apt-get update -qq || true
	for package in $absent; do
		DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends \
			"$package" >/dev/null 2>&1 || echo "peers: $package cannot be installed" >&2
	done
fi
rm -f "$dir"/*.missing
command -v sqlite3 >/dev/null || missing sqlite "the Debian package sqlite3 cannot be installed"
command -v mawk >/dev/null || missing mawk "the Debian package mawk cannot be installed"
command -v sec >/dev/null || missing sec "the Debian package sec cannot be installed"
command -v syslog-ng >/dev/null ||
	missing syslog-ng "the Debian package syslog-ng-core cannot be installed"

# The command line program, as a wheel.
if [ ! -x "$dir/duckdb-$duckdb/duckdb" ]; then
	rm -rf "$dir/duckdb.tmp"
	if python3 -m pip download --quiet --no-deps --disable-pip-version-check \
		-d "$dir/duckdb.tmp" "duckdb-cli==$duckdb" >"$dir/duckdb.log" 2>&1 &&
		(cd "$dir/duckdb.tmp" && python3 -m zipfile -e ./*.whl .); then
		mkdir -p "$dir/duckdb-$duckdb"
		mv "$dir/duckdb.tmp/duckdb_cli/duckdb" "$dir/duckdb-$duckdb/duckdb"
		chmod +x "$dir/duckdb-$duckdb/duckdb"
	else
		missing duckdb "PyPI does not give duckdb-cli $duckdb"
	fi
	rm -rf "$dir/duckdb.tmp"
fi
ln -sfn "duckdb-$duckdb/duckdb" "$dir/duckdb"

# With its default features: without its daemon this version does not compile.
if [ ! -x "$dir/rsigma-$rsigma/bin/rsigma" ]; then
	if ! command -v cargo >/dev/null; then
		missing rsigma "needs cargo 1.95 or later, and there is none"
	elif ! cargo install --quiet --locked --version "$rsigma" \
		--root "$dir/rsigma-$rsigma" --target-dir "$dir/rsigma-target" rsigma \
		>"$dir/rsigma.log" 2>&1; then
		missing rsigma "cargo install failed: $(tail -n 1 "$dir/rsigma.log")"
	fi
	rm -rf "$dir/rsigma-target"
fi
ln -sfn "rsigma-$rsigma/bin/rsigma" "$dir/rsigma"

if [ ! -e "$dir/flink/.complete" ]; then
	rm -rf "$dir/flink"
	mkdir -p "$dir/flink"
	mvn -q -B -f "$here/flink/pom.xml" dependency:copy-dependencies \
		-DoutputDirectory="$dir/flink/lib" >"$dir/flink.log" 2>&1 &&
		touch "$dir/flink/.complete" || true
fi
if [ ! -e "$dir/flink/.complete" ]; then
	missing flink "Maven does not give Flink: $(tail -n 1 "$dir/flink.log")"
elif ! javac -cp "$dir/flink/lib/*" -d "$dir/flink/classes" "$here"/flink/*.java \
	>>"$dir/flink.log" 2>&1; then
	missing flink "javac failed: $(tail -n 1 "$dir/flink.log")"
fi
