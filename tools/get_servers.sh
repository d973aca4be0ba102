#!/bin/sh
# Puts Prometheus and VictoriaMetrics of several releases of Debian into DIR/servers, for the tests that compare them:
# prometheus-bookworm (2.42), prometheus-trixie (2.53), prometheus-sid, victoria-metrics-bookworm (1.79) and
# victoria-metrics-sid. Usage: tools/get_servers.sh DIR
# Debian's packages, without root. Where there is no Debian there are none, and the tests go without them.
set -eu

dir=$1
. "$(dirname "$0")/debian.sh"

say() { echo "servers: $*" >&2; }

get() ( # PACKAGE RELEASE: its program alone, as the other ones of the package are larger still
    [ ! -x "$servers/$1-$2" ] || return 0
    dir=$(mktemp -d "$servers/debian.XXXXXX")
    trap 'rm -rf "$dir"' EXIT
    unpack_debian "$1" "$2" || return 1
    "$dir/debian/usr/bin/$1" --version >/dev/null 2>&1 || {
        say "$1 of $2 does not run here"
        return 1
    }
    mv "$dir/debian/usr/bin/$1" "$servers/$1-$2"
)

mkdir -p "$dir/servers"
servers=$(cd "$dir/servers" && pwd)
if ! grep -qx ID=debian /etc/os-release 2>/dev/null; then
    say "only Debian has a way to get them here"
    exit 0
fi
get prometheus bookworm
get prometheus trixie
get victoria-metrics bookworm
for package in prometheus victoria-metrics; do
    get "$package" sid || say "without $package of sid, which is another one every day"
done
ls "$servers" >&2
