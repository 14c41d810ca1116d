#!/bin/sh
# Installs the Debian packages that building and testing need, if any is missing. `install-deps.sh lab`: those of the lab,
# proxies and TLS clients (`make check`, `make lab`); no service among them is started. `install-deps.sh analyze`: the analysers,
# and what gives sanitizers' reports their names and lines (`make analyze`, `make sanitize`).
set -eu

packages="gcc g++ make meson ninja-build pkg-config python3 python3-jsonschema python3-yaml python3-xxhash
libsimdjson-dev libyaml-dev libexpat1-dev libpsl-dev libidn2-dev libssl-dev zlib1g-dev libzstd-dev
libxxhash-dev libpcap-dev libsqlite3-dev libmicrohttpd-dev libsodium-dev uuid-dev libsmartcols-dev libcmocka-dev zstd openssl curl systemd groff-base clang-14 clang-format-14 libclang-rt-14-dev"
lab="mitmproxy squid-openssl sslsplit tcpdump iproute2 util-linux gnutls-bin nodejs openssl curl python3 chromium libnss3-tools"
analyze="clang-14 clang-tidy-14 cppcheck libclang-rt-14-dev llvm-14"
case ${1-} in
lab) packages=$lab ;;
analyze) packages=$analyze ;;
esac

missing=
for package in $packages; do
	status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
	[ "$status" = "install ok installed" ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
	echo "pinwatch builds on Debian 12; elsewhere install the equivalents of:$missing" >&2
	exit 1
fi
sudo=
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || {
		echo "these packages are missing and neither root nor sudo is at hand:$missing" >&2
		exit 1
	}
	sudo=sudo
fi
echo "installing:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
# squid's package would start a proxy on this machine: nothing here needs one.
policy=/usr/sbin/policy-rc.d
if [ "${1-}" = lab ] && [ ! -e "$policy" ]; then
	trap '$sudo rm -f "$policy"' EXIT
	printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
	$sudo chmod 755 "$policy"
fi
$sudo apt-get update -qq
# shellcheck disable=SC2086
$sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
