#!/usr/bin/env bash
# curl, against a gateway at BOLTGATE_CLIENT_URL. One curl sends all requests of a check, over as few connections as it can.
#
# Run by run-plain-clients, which says what is tried.
set -euo pipefail

url=$BOLTGATE_CLIENT_URL
good=$url/db/neo4j/query/v2
json=(--header 'Content-Type: application/json')
failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# pairs NAME TIMES STATUS URL BODY-FILE OPTION...: a request with that status and a good one, times over.
pairs() {
  local name=$1 times=$2 status=$3 target=$4 body=$5 found expected='' arguments=() i
  shift 5
  local common=(--silent --show-error --max-time 60 --output /dev/null --write-out '%{http_code} ')
  for ((i = 0; i < times; i++)); do
    ((i == 0)) || arguments+=(--next)
    arguments+=("${common[@]}" --data-binary "@$body" "$@" "$target")
    arguments+=(--next "${common[@]}" "${json[@]}" --data '{"statement":"RETURN 1 AS a"}' "$good")
    expected+="$status 202 "
  done
  found=$(curl "${arguments[@]}" 2>"$work/errors") || true
  if [[ $found == "$expected" ]]; then
    echo "ok - curl: $name"
  else
    failed=1
    echo "not ok - curl: $name: found $found, $(head -n 1 "$work/errors")"
  fi
}

for size in 100 8000 60000 3000000; do
  head -c "$size" /dev/zero | tr '\0' ' ' >"$work/$size"
  pairs "an early 404 to a body of $size bytes" 20 404 "$url/nothing" "$work/$size" "${json[@]}"
  pairs "an early 400 to a body of $size bytes" 20 400 "$good" "$work/$size" "${json[@]}" --header 'Authorization: Nope'
done
pairs 'an early 413 to a body of 3000000 bytes' 20 413 "$good" "$work/3000000" "${json[@]}"
printf '{"statement":"RETURN 1 AS a"}' >"$work/good"
pairs 'Expect: 100-continue, refused' 20 415 "$good" "$work/good" --header 'Expect: 100-continue' --header 'Content-Type: text/plain'
pairs 'Expect: 100-continue, taken' 20 202 "$good" "$work/good" "${json[@]}" --header 'Expect: 100-continue'
for size in 16400 60000 70000 1000000; do
  status=$((size < 65536 ? 202 : 431))
  printf 'X-Padding: %s\n' "$(head -c "$size" /dev/zero | tr '\0' x)" >"$work/head"
  pairs "a head of $size bytes" 2 "$status" "$good" "$work/good" "${json[@]}" --header "@$work/head"
done
# Its HTTP/2 sends no longer heads, and in some versions fails on a connection that it has kept.
for size in 16400 60000; do
  printf 'X-Padding: %s\n' "$(head -c "$size" /dev/zero | tr '\0' x)" >"$work/head"
  pairs "a head of $size bytes over HTTP/2" 1 202 "$good" "$work/good" "${json[@]}" --header "@$work/head" --http2-prior-knowledge
done
exit "$failed"
