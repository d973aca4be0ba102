#!/bin/sh
# Puts libfaketime, which turns the wall clock of one process, into DIR/lib. Usage: tools/get_faketime.sh DIR
# Debian's package, unpacked beside us without root.
set -eu

dir=$1
. "$(dirname "$0")/debian.sh"

say() { echo "libfaketime: $*" >&2; }

mkdir -p "$dir/lib"
dir=$(cd "$dir" && pwd)
if ! unpack_debian libfaketime; then
    say "is needed to turn a clock; only Debian and Ubuntu have a way to get it here"
    exit 1
fi
library=$(find "$dir/debian/usr/lib" -name libfaketimeMT.so.1 | head -n 1)
ln -sf "$library" "$dir/lib/libfaketime.so"
