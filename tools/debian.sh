# Sourced by the others: Debian's packages without root. Wants $dir, an absolute path, and say().

list_sources() ( # RELEASE: where this Debian gets its packages, written for another release of it
    . /etc/os-release
    [ "$ID" = debian ] || return 1
    mkdir parts
    for file in sources.list sources.list.d/debian.sources; do
        [ ! -e "/etc/apt/$file" ] || sed "s/$VERSION_CODENAME/$1/g" "/etc/apt/$file" >"parts/$(basename "$file" .list).${file##*.}"
    done
)

# Puts a package, of this Debian or of another release, into $dir/debian. With PATTERN: those packages instead whose
# names match it, and not BUT, among what an installation of the package would bring to this machine.
unpack_debian() ( # PACKAGE [RELEASE [PATTERN BUT]]
    command -v apt-get >/dev/null && command -v dpkg >/dev/null || return 1
    say "getting Debian's package into $dir"
    work=$(mktemp -d "$dir/apt.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    cd "$work"
    mkdir -p lists/partial cache/archives/partial
    pattern=${3:-} but=${4:-}
    set -- "$1" "${2:-}" -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=
    if [ -n "$2" ]; then
        list_sources "$2" || return 1
        # Without what is installed here, which may be another one's package of that name.
        set -- "$@" -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$work/parts" -o Dir::State::status=/dev/null
    fi
    package=$1
    shift 2
    # Our own lists and cache: apt's may be empty or old, and are root's. A list that a release does not have, as sid
    # has none of security fixes, is no matter where the package is found without it.
    apt-get -q "$@" update >>log 2>&1 || true
    [ -z "$pattern" ] || package=$(
        apt-get -q "$@" --simulate --no-install-recommends install "$package" 2>>log |
            awk '$1 == "Inst" {print $2}' | grep -E "$pattern" | grep -vE "$but"
    )
    # shellcheck disable=SC2086 # several names are several words
    apt-get -q "$@" download $package >>log 2>&1 || {
        say "apt could not: $(grep '^[EW]:' log | tail -n 1)"
        return 1
    }
    for package in *.deb; do
        dpkg -x "$package" "$dir/debian" || return 1
    done
)
