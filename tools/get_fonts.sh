#!/bin/sh
# Puts the fonts of the pictures, Roboto and Noto Color Emoji, into DIR/share/fonts. Usage: tools/get_fonts.sh DIR
# Debian's packages, unpacked beside us without root.
set -eu

dir=$1
. "$(dirname "$0")/debian.sh"

say() { echo "fonts: $*" >&2; }

mkdir -p "$dir/share/fonts"
dir=$(cd "$dir" && pwd)
for package in fonts-roboto-unhinted fonts-noto-color-emoji; do
    if ! unpack_debian "$package"; then
        say "are needed by the pictures; only Debian and Ubuntu have a way to get them here"
        exit 1
    fi
done
find "$dir/debian/usr/share/fonts" \( -name 'Roboto-*.ttf' -o -name 'NotoColorEmoji.ttf' \) \
    -exec ln -sf {} "$dir/share/fonts/" \;
