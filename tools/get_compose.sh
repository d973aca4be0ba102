#!/bin/sh
# Puts a `docker-compose` into DIR/bin that can check a compose file; no Docker engine is needed for that.
# Usage: tools/get_compose.sh DIR
#
# In order: one that is installed already, as a program or as Docker's plugin; Debian's package and what it needs,
# unpacked beside us without root. Says what to do where neither works.
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

from_path() {
    if found=$(command -v docker-compose) && [ "$found" != "$dir/bin/docker-compose" ]; then
        program "exec $found \"\$@\""
    elif command -v docker >/dev/null && docker compose version >/dev/null 2>&1; then
        program 'exec docker compose "$@"'
    else
        return 1
    fi
}

from_debian() {
    unpack_debian docker-compose with-needs || return 1
    root='root=$(cd "$(dirname "$0")/../debian" && pwd)'
    if [ "$(head -c 2 "$dir/debian/usr/bin/docker-compose")" = '#!' ]; then # 1.29 is Python
        program "$root" 'export PYTHONPATH="$root/usr/lib/python3/dist-packages"' \
            'exec /usr/bin/python3 "$root/usr/bin/docker-compose" "$@"'
    else
        program "$root" 'exec "$root/usr/bin/docker-compose" "$@"'
    fi
}

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
if ! { from_path || from_debian; }; then
    say "is needed to check docker-compose.yml; install it or Docker (on Debian: apt-get install docker-compose)"
    exit 1
fi
"$dir/bin/docker-compose" version --short >&2
