#!/bin/sh
# Puts a `docker-compose` into DIR/bin that can check a compose file; no Docker engine is needed for that.
# Usage: tools/get_compose.sh DIR
#
# In order: one that is installed already, as a program or as Docker's plugin; the package of Debian 13, which needs
# nothing else, unpacked beside us without root. Says what to do where neither works.
set -eu

dir=$1
. "$(dirname "$0")/debian.sh"

say() { echo "docker-compose: $*" >&2; }

program() { # LINE...: the program that these lines are
    mkdir -p "$dir/bin"
    rm -f "$dir/bin/docker-compose"
    printf '%s\n' '#!/bin/sh' "$@" >"$dir/bin/docker-compose"
    chmod +x "$dir/bin/docker-compose"
}

is_current() { # PROGRAM...: whether it reads today's compose files; 1.29, the last in Python, does not know `name`
    version=$("$@" version --short 2>/dev/null) || return 1
    case $version in 1.*) return 1 ;; esac
}

from_path() {
    if found=$(command -v docker-compose) && [ "$found" != "$dir/bin/docker-compose" ] && is_current "$found"; then
        program "exec $found \"\$@\""
    elif is_current docker compose; then
        program 'exec docker compose "$@"'
    else
        return 1
    fi
}

from_debian() {
    unpack_debian docker-compose trixie || return 1
    program 'exec "$(dirname "$0")/../debian/usr/libexec/docker/cli-plugins/docker-compose" "$@"'
}

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
if ! { from_path || from_debian; }; then
    say "is needed to check docker-compose.yml; install it or Docker (on Debian: apt-get install docker-compose)"
    exit 1
fi
"$dir/bin/docker-compose" version --short >&2
