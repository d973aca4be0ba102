#!/bin/sh
# Puts a `docker-compose` into DIR/bin that can check a compose file; no Docker engine is needed for that.
# Usage: tools/get_compose.sh DIR
#
# In order: one that is installed already, as a program or as Docker's plugin; Debian's package and what it needs,
# unpacked beside us without root. Says what to do where neither works.
set -eu

dir=$1

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
    command -v apt-get >/dev/null && command -v dpkg >/dev/null || return 1
    say "getting Debian's package into $dir"
    work=$(mktemp -d "$dir/apt.XXXXXX")
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
    # Our own lists and cache: apt's may be empty or old, and are root's.
    options="-q -o Dir::State::Lists=$work/lists -o Dir::Cache=$work/cache -o APT::Sandbox::User="
    # shellcheck disable=SC2086
    if (
        apt-get $options update >"$work/log" 2>&1 &&
            apt-get $options install -y --print-uris --no-install-recommends docker-compose >"$work/needed" 2>>"$work/log" &&
            cd "$work" &&
            # shellcheck disable=SC2046
            apt-get $options download $(sed -n "s/^'.*' \([^_]*\)_.*/\1/p" needed) >>"$work/log" 2>&1 &&
            for package in *.deb; do dpkg -x "$package" "$dir/debian"; done
    ); then
        rm -rf "$work"
        root='root=$(cd "$(dirname "$0")/../debian" && pwd)'
        if [ "$(head -c 2 "$dir/debian/usr/bin/docker-compose")" = '#!' ]; then # 1.29 is Python
            program "$root" 'export PYTHONPATH="$root/usr/lib/python3/dist-packages"' \
                'exec /usr/bin/python3 "$root/usr/bin/docker-compose" "$@"'
        else
            program "$root" 'exec "$root/usr/bin/docker-compose" "$@"'
        fi
    else
        say "apt could not: $(grep '^[EW]:' "$work/log" | tail -n 1)"
        rm -rf "$work"
        return 1
    fi
}

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
if ! { from_path || from_debian; }; then
    say "is needed to check docker-compose.yml; install it or Docker (on Debian: apt-get install docker-compose)"
    exit 1
fi
"$dir/bin/docker-compose" version --short >&2
