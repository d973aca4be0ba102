#!/bin/sh
# Puts `prometheus` and `promtool` into DIR/bin without root and without a system service.
# Usage: tools/get_prometheus.sh DIR
#
# In order: one that is installed already; Debian's package, unpacked beside us; Homebrew; the official release,
# checked against the sha256 sums of that release. Says what to do where none of them works.
set -eu

dir=$1
release=3.13.4  # LTS; the version that docker-compose.yml runs

say() { echo "prometheus: $*" >&2; }
fail() { say "$*"; exit 1; }

link() {  # DIRECTORY: take both programs from there
    mkdir -p "$dir/bin"
    for program in prometheus promtool; do
        ln -sf "$1/$program" "$dir/bin/$program"
    done
}

from_path() {
    command -v prometheus >/dev/null && command -v promtool >/dev/null || return 1
    link "$(dirname "$(command -v prometheus)")"
}

from_debian() {
    command -v apt-get >/dev/null && command -v dpkg >/dev/null || return 1
    say "getting Debian's package into $dir"
    work=$(mktemp -d "$dir/apt.XXXXXX")
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
    # Our own lists and cache: apt's may be empty or old, and are root's.
    options="-q -o Dir::State::Lists=$work/lists -o Dir::Cache=$work/cache -o APT::Sandbox::User="
    if (
        # shellcheck disable=SC2086
        apt-get $options update >"$work/log" 2>&1 &&
            cd "$work" && apt-get $options download prometheus >>"$work/log" 2>&1 &&
            dpkg -x "$work"/prometheus_*.deb "$dir/debian"
    ); then
        rm -rf "$work"
        link ../debian/usr/bin
    else
        say "apt could not: $(grep '^[EW]:' "$work/log" | tail -n 1)"
        rm -rf "$work"
        return 1
    fi
}

from_homebrew() {
    command -v brew >/dev/null || return 1
    say "installing with Homebrew"
    brew install prometheus >&2 && link "$(brew --prefix prometheus)/bin"
}

from_release() {
    command -v curl >/dev/null || return 1
    system=$(uname -s | tr '[:upper:]' '[:lower:]')
    case $(uname -m) in
    x86_64 | amd64) machine=amd64 ;;
    aarch64 | arm64) machine=arm64 ;;
    *) return 1 ;;
    esac
    name=prometheus-$release.$system-$machine
    base=${PROMETHEUS_RELEASES:-https://github.com/prometheus/prometheus/releases/download}/v$release
    say "getting the official release $release into $dir"
    curl -fsSL --retry 2 -o "$dir/sha256sums.txt" "$base/sha256sums.txt" || return 1
    curl -fsSL --retry 2 -o "$dir/$name.tar.gz" "$base/$name.tar.gz" || return 1
    wanted=$(awk -v file="$name.tar.gz" '$2 == file {print $1}' "$dir/sha256sums.txt")
    if command -v sha256sum >/dev/null; then
        got=$(sha256sum "$dir/$name.tar.gz" | cut -d' ' -f1)
    else
        got=$(shasum -a 256 "$dir/$name.tar.gz" | cut -d' ' -f1)
    fi
    [ -n "$wanted" ] && [ "$wanted" = "$got" ] ||
        fail "$name.tar.gz has sha256 $got, its release says '${wanted}'; it was not unpacked"
    tar -xzf "$dir/$name.tar.gz" -C "$dir"
    rm "$dir/$name.tar.gz" "$dir/sha256sums.txt"
    link "../$name"
}

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
from_path || from_debian || from_homebrew || from_release || fail \
    "could not be had here. Install Prometheus 2.42 or newer so that 'prometheus' and 'promtool' are on PATH," \
    "or set WINE_SLO_PROMETHEUS_URL to one that runs already."
"$dir/bin/prometheus" --version 2>&1 | head -n 1 >&2
