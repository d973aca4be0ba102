#!/bin/bash
# Query the health of this container's process. Exit with 0 where it is well, else with 1; print its answer.
# bash alone: a Python for each query was most of what an idle container did. No proxy is used.
# Usage: health.sh [PID]; without one, of the container's first process

fail() {
    echo "$1"
    exit 1
}

mapfile -d '' -t words <"/proc/${1:-1}/cmdline"
case ${words[*]} in
*wine[-_]slo[.\ ]watchdog*) host=$WINE_SLO_WATCHDOG_HOST port=${WINE_SLO_WATCHDOG_PORT:-8001} ;;
*wine[-_]slo[.\ ]server*) host=$WINE_SLO_HOST port=${WINE_SLO_PORT:-8000} ;;
*) fail "neither the server nor the watchdog runs here: ${words[*]}" ;;
esac
case $host in "" | 0.0.0.0 | ::) host=127.0.0.1 ;; esac

{ exec 3<>"/dev/tcp/$host/$port"; } 2>/dev/null || fail "nothing listens on $host:$port"
printf 'GET /health HTTP/1.0\r\nHost: %s:%s\r\n\r\n' "$host" "$port" >&3
read -r -t 3 -u 3 _ status _ || fail "no answer from $host:$port within 3 s"
while read -r -t 3 -u 3 line && [ "$line" != $'\r' ]; do :; done
read -r -t 3 -d '' -u 3 body
echo "$body"
[ "$status" = 200 ]
