#!/usr/bin/env bash
# Reads rows with jq: a result in NDJSON is one object per line. Needs curl and jq.
#
#   boltgate serve --embedded # in another terminal
#   examples/jq.sh
#
# BOLTGATE_URL       default http://127.0.0.1:7474
# BOLTGATE_DATABASE  default neo4j; memgraph for Memgraph
# BOLTGATE_USER      name:password, if the database requires it
set -euo pipefail

url=${BOLTGATE_URL:-http://127.0.0.1:7474}
queries=$url/db/${BOLTGATE_DATABASE:-neo4j}/query/v2

# rows STATEMENT: with pipefail, a result that breaks off after its first rows fails as one that is refused does.
rows() {
  jq --null-input --arg statement "$1" '{$statement}' |
    curl --silent --show-error --fail-with-body ${BOLTGATE_USER:+--user "$BOLTGATE_USER"} "$queries" \
      --header 'Content-Type: application/json' --header 'Accept: application/x-ndjson' --data @-
}

echo 'One member of each row:'
rows 'UNWIND range(1, 3) AS n RETURN n, n * n AS square' | jq .square

echo 'Some rows, as tab-separated text:'
rows "UNWIND [{name: 'Ada', born: 1815}, {name: 'Grace', born: 1906}] AS p RETURN p.name AS name, p.born AS born" |
  jq --raw-output 'select(.born > 1900) | [.name, .born] | @tsv'

echo 'A sum, with one row in memory at a time:'
rows 'UNWIND range(1, 2000) AS n RETURN n' | jq --null-input 'reduce inputs as $row (0; . + $row.n)'

echo 'A mistake ends with a status:'
if rows 'RETRUN 1' | jq --raw-output '.errors[].code'; then
  echo 'it should not have succeeded' >&2
  exit 1
fi
