#!/usr/bin/env bash
# Runs the curl commands of docs/curl.md, one after another. Needs curl 7.82 or later.
#
#   boltgate serve --embedded          # in another terminal
#   examples/curl.sh
#
# BOLTGATE_URL       default http://127.0.0.1:7474
# BOLTGATE_DATABASE  default neo4j; memgraph for Memgraph
# BOLTGATE_USER      name:password, if the database requires it
set -euo pipefail

url=${BOLTGATE_URL:-http://127.0.0.1:7474}
database=$url/db/${BOLTGATE_DATABASE:-neo4j}

# Shows the command, then the response.
ask() {
  printf '\n$ curl'
  local word
  for word; do
    case $word in
      *[!A-Za-z0-9:/._-]*) printf " '%s'" "${word//\'/\'\\\'\'}" ;;
      *) printf ' %s' "$word" ;;
    esac
  done
  printf '\n'
  curl --silent --show-error ${BOLTGATE_USER:+--user "$BOLTGATE_USER"} "$@"
  echo
}

# Describe the server.
ask "$url/"

# Run a query.
ask "$database/query/v2" --json '{"statement": "RETURN 1 AS n"}'

# Pass parameters, and return a node.
ask "$database/query/v2" --json '{
  "statement": "CREATE (p:Pioneer {name: $name, born: date($born)}) RETURN p",
  "parameters": {"name": "Ada", "born": "1815-12-10"}
}'

# Return the same node with the types of its values.
ask "$database/query/v2" -H 'Accept: application/vnd.neo4j.query.v1.2' --json '{
  "statement": "MATCH (p:Pioneer {name: $name}) RETURN p LIMIT 1", "parameters": {"name": "Ada"}
}'

# Run a transaction over several requests.
opened=$(ask "$database/query/v2/tx" --json '{"statement": "CREATE (:Pioneer {name: \"Grace\"})"}')
echo "$opened"
transaction=$(sed -n 's/.*"transaction":{"id":"\([^"]*\)".*/\1/p' <<<"$opened")
ask "$database/query/v2/tx/$transaction" \
  --json '{"statement": "MATCH (p:Pioneer) RETURN count(p) AS pioneers"}'
ask -X POST "$database/query/v2/tx/$transaction/commit"

# Cause an error.
ask "$database/query/v2" --json '{"statement": "RETRUN 1"}'

# Receive rows line by line.
ask "$database/query/v2" -H 'Accept: application/jsonl' \
  --json '{"statement": "UNWIND range(1, 3) AS n RETURN n, n * n AS square"}'

# Receive the rows alone, as CSV.
ask "$database/query/v2" --json '{"statement": "UNWIND range(1, 3) AS n RETURN n, n * n AS square"}' -H 'Accept: text/csv'

# Clean up.
ask "$database/query/v2" --json '{"statement": "MATCH (p:Pioneer) WHERE p.name IN $names DETACH DELETE p",
  "parameters": {"names": ["Ada", "Grace"]}}'
