#!/bin/sh
# Puts a `chromium` into DIR/bin for the tests of the pages.
# Usage: tools/get_chromium.sh DIR
#
# In order: a Chromium or Chrome that is installed already; Debian's package, as root. This is the one thing that is
# installed in the machine and not in this folder: a browser needs too much beside itself. Says what to do where neither
# works.
set -eu

dir=$1

say() { echo "chromium: $*" >&2; }

link_installed() {
    for name in chromium chromium-browser google-chrome google-chrome-stable \
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" /Applications/Chromium.app/Contents/MacOS/Chromium; do
        found=$(command -v "$name") || continue
        case $found in "$dir"/*) continue ;; esac  # not our own link
        mkdir -p "$dir/bin"
        ln -sf "$found" "$dir/bin/chromium"
        return 0
    done
    return 1
}

install_debian() {
    command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] || return 1
    say "installing Debian's package"
    # Fonts: a page without any letters would pass every test but the eye's.
    apt-get -q update >"$dir/chromium.log" 2>&1 &&
        DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends chromium fonts-dejavu-core \
            >>"$dir/chromium.log" 2>&1 &&
        rm "$dir/chromium.log"
}

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
link_installed || { install_debian && link_installed; } || {
    say "is needed by the tests of the pages; install it (on Debian: apt-get install chromium) and try again"
    exit 1
}
"$dir/bin/chromium" --version >&2
