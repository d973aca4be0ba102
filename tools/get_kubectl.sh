#!/bin/sh
# Puts a `kubectl` into DIR/bin that writes what a kustomization gives (`kubectl kustomize`); no cluster is needed for that.
# Usage: tools/get_kubectl.sh DIR
#
# In order: one that is installed already; the package of Debian 13, which needs nothing else, unpacked beside us without
# root. Says what to do where neither works.
set -eu

dir=$1
. "$(dirname "$0")/debian.sh"

say() { echo "kubectl: $*" >&2; }

is_current() { # PROGRAM: whether its kustomize is version 5, as that of every kubectl since 1.27
    "$1" version --client 2>/dev/null | grep -q '^Kustomize Version: v5\.'
}

from_path() {
    found=$(command -v kubectl) && [ "$found" != "$dir/bin/kubectl" ] && is_current "$found" || return 1
    ln -sf "$found" "$dir/bin/kubectl"
}

from_debian() {
    unpack_debian kubectl trixie && is_current "$dir/debian/usr/bin/kubectl" || return 1
    ln -sf ../debian/usr/bin/kubectl "$dir/bin/kubectl"
}

mkdir -p "$dir/bin"
dir=$(cd "$dir" && pwd)
if ! { from_path || from_debian; }; then
    say "is needed to check deploy/kubernetes; install version 1.27 or newer"
    exit 1
fi
"$dir/bin/kubectl" version --client >&2
