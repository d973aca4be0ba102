# Sourced by the others: Debian's packages without root. Wants $dir, an absolute path, and say().

unpack_debian() ( # PACKAGE [with-needs]: put it, or it and whatever it needs and this machine lacks, into $dir/debian
    command -v apt-get >/dev/null && command -v dpkg >/dev/null || return 1
    say "getting Debian's package into $dir"
    work=$(mktemp -d "$dir/apt.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    cd "$work"
    mkdir -p lists/partial cache/archives/partial
    apt() { # our own lists and cache: apt's may be empty or old, and are root's
        apt-get -q -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User= "$@" 2>>log
    }
    needed() {
        [ "${2:-}" = with-needs ] || { echo "$1" && return; }
        apt install -y --print-uris --no-install-recommends "$1" | sed -n "s/^'.*' \([^_]*\)_.*/\1/p"
    }
    # shellcheck disable=SC2046
    apt update >>log && apt download $(needed "$@") >>log || {
        say "apt could not: $(grep '^[EW]:' log | tail -n 1)"
        return 1
    }
    for package in *.deb; do
        dpkg -x "$package" "$dir/debian" || return 1
    done
)
