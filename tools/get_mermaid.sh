#!/bin/sh
# Puts `mermaid.min.js`, which draws the diagrams of the documents, into DIR/site, so that no page loads it from another
# host. Usage: tools/get_mermaid.sh DIR. It comes from npm and is checked against the sum that stands here.
set -eu

dir=$1
release=11.17.2
sum=581ed7d74bd9048d0e3a91363927d72ef22942d7722546b27f7cc29e35390eb8

command -v npm >/dev/null || { echo "npm is needed, of Node 20 or newer" >&2; exit 1; }
mkdir -p "$dir/site"
work=$(mktemp -d "$dir/site/XXXXXX")
trap 'rm -rf "$work"' EXIT
npm pack --silent --pack-destination "$work" "mermaid@$release" >/dev/null
tar -x -z -f "$work"/mermaid-"$release".tgz -C "$work" package/dist/mermaid.min.js
echo "$sum  $work/package/dist/mermaid.min.js" | sha256sum --check --status || {
    echo "mermaid $release is not the one whose sum stands here" >&2
    exit 1
}
mv "$work/package/dist/mermaid.min.js" "$dir/site/mermaid.min.js"
touch "$dir/site/mermaid.min.js"
