#!/bin/sh
# Puts PostgreSQL's `postgres`, `initdb`, `psql` and `pg_dump` into DIR/bin for the tests, without root and without a
# system service. Usage: tools/get_postgres.sh DIR
#
# In order: one that is installed already; Debian's or Ubuntu's packages with the libraries that lack here, unpacked
# beside us; Homebrew. Says what to do where none of them works.
set -eu

dir=$1
. "$(dirname "$0")/debian.sh"
programs="postgres initdb psql pg_dump"

say() { echo "postgres: $*" >&2; }

has_all() ( # DIRECTORY
    for program in $programs; do
        [ -x "$1/$program" ] || return 1
    done
)

link_installed() {
    # Debian's own are not on PATH, and what is there of them are wrappers for the clusters of the system.
    for found in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV) "$(dirname "$(command -v postgres)")" "$@"; do
        has_all "$found" || continue
        [ "$found" != "$dir/bin" ] || continue # our own links
        mkdir -p "$dir/bin"
        for program in $programs; do
            ln -sf "$found/$program" "$dir/bin/$program"
        done
        return 0
    done
    return 1
}

from_debian() {
    # Without LLVM, which would compile large queries and is larger than all the rest.
    unpack_debian postgresql "" '^(lib|postgresql(-client)?-[0-9]+$)' '^libllvm' || return 1
    bin=$(ls -d "$dir"/debian/usr/lib/postgresql/*/bin | sort -rV | head -n 1)
    libraries=$(find "$dir/debian" -name 'lib*.so.*' -exec dirname {} + | sort -u | sed "s|^$dir|\$tools|" | paste -sd :)
    mkdir -p "$dir/bin"
    for program in $programs; do
        cat >"$dir/bin/$program" <<PROGRAM
#!/bin/sh
tools=\$(cd "\$(dirname "\$0")/.." && pwd)
LD_LIBRARY_PATH="$libraries\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}" exec "\$tools${bin#"$dir"}/$program" "\$@"
PROGRAM
        chmod +x "$dir/bin/$program"
    done
}

from_homebrew() {
    command -v brew >/dev/null || return 1
    say "installing with Homebrew"
    brew install postgresql@17 >&2 && link_installed "$(brew --prefix postgresql@17)/bin"
}

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
if ! { link_installed || from_debian || from_homebrew; }; then
    say "could not be had here. Install its server so that these are on PATH: $programs."
    exit 1
fi
"$dir/bin/postgres" --version >&2
