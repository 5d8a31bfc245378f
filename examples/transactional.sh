#!/usr/bin/env bash
# Neo4j's older HTTP API: a transaction over several requests, committed at the end.
#
#   boltgate serve --embedded          # in another terminal
#   examples/transactional.sh
#
# BOLTGATE_URL       default http://127.0.0.1:7474
# BOLTGATE_DATABASE  default neo4j; memgraph for Memgraph
# BOLTGATE_USER      name:password, if the database requires it
set -euo pipefail

url=${BOLTGATE_URL:-http://127.0.0.1:7474}/db/${BOLTGATE_DATABASE:-neo4j}/tx
options=(--silent --show-error --header 'Content-Type: application/json')
[[ -n ${BOLTGATE_USER:-} ]] && options+=(--user "$BOLTGATE_USER")

# Sends statements to an address, and shows the answer. The status is 200 even if a statement fails.
run() {
  local answer
  answer=$(curl "${options[@]}" --data "$2" "$1")
  echo "$answer"
  [[ $answer == *'"errors":[]'* ]]
}

begun=$(curl "${options[@]}" --include --data '{"statements": []}' "$url")
transaction=$(sed -n 's/^location: \(.*\)\r$/\1/ip' <<<"$begun")
run "$transaction" '{"statements": [{"statement": "CREATE (:Greeting {text: $text})", "parameters": {"text": "hello"}, "includeStats": true}]}'
run "$transaction/commit" '{"statements": [{"statement": "MATCH (g:Greeting) RETURN g.text AS text"}]}'
run "$url/commit" '{"statements": [{"statement": "MATCH (g:Greeting) DETACH DELETE g"}]}'
