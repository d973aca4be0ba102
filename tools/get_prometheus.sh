#!/bin/sh
# Puts `prometheus` and `promtool`, or `alertmanager` and `amtool`, into DIR/bin without root and without a system
# service. Usage: tools/get_prometheus.sh DIR [prometheus|alertmanager]
#
# In order: one that is installed already; Debian's package, unpacked beside us; Homebrew; the official release,
# checked against the sum that stands here. PROMETHEUS_RELEASES names a mirror of the releases. Says what to do where
# none of them works.
set -eu

dir=$1
. "$(dirname "$0")/debian.sh"
wanted=${2:-prometheus}
case $wanted in
prometheus)
    programs="prometheus promtool"
    package=prometheus
    release=3.13.4 # LTS; the version that docker-compose.yml runs
    ;;
alertmanager)
    programs="alertmanager amtool"
    package=prometheus-alertmanager
    release=0.28.1
    ;;
*)
    echo "there is no $wanted to get, only prometheus and alertmanager" >&2
    exit 2
    ;;
esac

# sha256 of the releases. Where a machine's is missing, the official release is checked against its own list instead,
# and a mirror is refused.
pinned() { # FILE
    while read -r sum file; do
        [ "$file" != "$1" ] || echo "$sum"
    done <<'SUMS'
87f21a66f96c597a189cef8d640e8921b621fc17a9feff707c332c4f3b3ddd56 prometheus-3.13.4.linux-amd64.tar.gz
5ac7ab5e4b8ee5ce4d8fb0988f9cb275efcc3f181b4b408179fafee121693311 alertmanager-0.28.1.linux-amd64.tar.gz
d8832540e5b9f613d2fd759e31d603173b9c61cc7bb5e3bc7ae2f12038b1ce4f alertmanager-0.28.1.linux-arm64.tar.gz
SUMS
}

say() { echo "$wanted: $*" >&2; }
fail() { say "$*"; exit 1; }

link() (  # DIRECTORY: take its programs from there; Debian puts "prometheus-" before the name of one
    mkdir -p "$dir/bin"
    cd "$dir/bin"
    for program in $programs; do
        source=$1/$program
        [ -x "$source" ] || source=$1/prometheus-$program
        ln -sf "$source" "$program"
    done
)

show_templates() {
    # Debian compiled in where its Alertmanager finds its templates: /usr/share. They are shown there to it alone.
    rm "$dir/bin/alertmanager"
    cat >"$dir/bin/alertmanager" <<'PROGRAM'
#!/bin/sh
exec unshare --map-root-user --mount sh -c \
    'mount --bind "$0/share" /usr/share && exec "$0/bin/prometheus-alertmanager" "$@"' \
    "$(cd "$(dirname "$0")/../debian/usr" && pwd)" "$@"
PROGRAM
    chmod +x "$dir/bin/alertmanager"
}

from_path() {
    for program in $programs; do
        command -v "$program" >/dev/null || return 1
    done
    link "$(dirname "$(command -v "$wanted")")"
}

from_debian() {
    unpack_debian "$package" || return 1
    link ../debian/usr/bin
    [ "$wanted" = prometheus ] || show_templates
}

from_homebrew() {
    command -v brew >/dev/null || return 1
    say "installing with Homebrew"
    brew install "$wanted" >&2 && link "$(brew --prefix "$wanted")/bin"
}

from_release() {
    command -v curl >/dev/null || return 1
    system=$(uname -s | tr '[:upper:]' '[:lower:]')
    case $(uname -m) in
    x86_64 | amd64) machine=amd64 ;;
    aarch64 | arm64) machine=arm64 ;;
    *) return 1 ;;
    esac
    name=$wanted-$release.$system-$machine
    base=${PROMETHEUS_RELEASES:-https://github.com/prometheus/$wanted/releases/download}/v$release
    wants=$(pinned "$name.tar.gz")
    if [ -z "$wants" ] && [ -n "${PROMETHEUS_RELEASES:-}" ]; then
        fail "the sum of $name.tar.gz is not known here, so a mirror cannot be checked; it was not fetched"
    fi
    say "getting the official release $release into $dir"
    if [ -z "$wants" ]; then
        wants=$(curl -fsSL --retry 2 "$base/sha256sums.txt" | awk -v file="$name.tar.gz" '$2 == file {print $1}')
    fi
    curl -fsSL --retry 2 -o "$dir/$name.tar.gz" "$base/$name.tar.gz" || return 1
    if command -v sha256sum >/dev/null; then
        got=$(sha256sum "$dir/$name.tar.gz" | cut -d' ' -f1)
    else
        got=$(shasum -a 256 "$dir/$name.tar.gz" | cut -d' ' -f1)
    fi
    [ -n "$wants" ] && [ "$wants" = "$got" ] || {
        rm "$dir/$name.tar.gz"
        fail "$name.tar.gz has the sha256 $got instead of '$wants'; it was not unpacked"
    }
    tar -xzf "$dir/$name.tar.gz" -C "$dir"
    rm "$dir/$name.tar.gz"
    link "../$name"
}

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
if ! { from_path || from_debian || from_homebrew || from_release; }; then
    say "could not be had here. Install it so that these are on PATH: $programs."
    [ "$wanted" = alertmanager ] || say "Or set WINE_SLO_PROMETHEUS_URL to one that runs already."
    exit 1
fi
"$dir/bin/$wanted" --version 2>&1 | head -n 1 >&2
