#!/usr/bin/env bash
# Transactions beyond a single statement: batches, retries, bulk load, cancelling, idempotency, precise statuses.
#
#   boltgate serve --embedded          # in another terminal
#   examples/transactions.sh
#
# Shows each response, and stops at the first unexpected one. Needs curl 7.82 or later.
#
# BOLTGATE_URL       default http://127.0.0.1:7474
# BOLTGATE_DATABASE  default neo4j; memgraph for Memgraph
# BOLTGATE_USER      name:password, if the database requires it
set -euo pipefail

url=${BOLTGATE_URL:-http://127.0.0.1:7474}
query=$url/db/${BOLTGATE_DATABASE:-neo4j}/query/v2
precise='Boltgate-Statuses: precise'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

ask() {
  curl --silent --show-error ${BOLTGATE_USER:+--user "$BOLTGATE_USER"} "$@"
}

# expect TEXT COMMAND…: runs the command, shows its output, and requires TEXT in it.
expect() {
  local wanted=$1 answer
  shift
  answer=$("$@")
  echo "$answer"
  [[ $answer == *"$wanted"* ]] || {
    echo "the output above does not contain: $wanted" >&2
    exit 1
  }
}

tidy_up() {
  ask --output /dev/null "$query" \
    --json '{"statement": "MATCH (n) WHERE n:Account OR n:Measurement OR n:Booking DETACH DELETE n"}'
}

tidy_up

echo '--- A batch: several statements, all or nothing, in one request.'
expect '"values":[["Alice",100],["Bob",20]]' ask "$query/batch" --json '{
  "statements": [
    {"statement": "CREATE (:Account {owner: $owner, balance: $balance})",
     "parametersList": [{"owner": "Alice", "balance": 100}, {"owner": "Bob", "balance": 20}]},
    {"statement": "MATCH (a:Account) RETURN a.owner AS owner, a.balance AS balance ORDER BY owner"}
  ]
}'

echo '--- A batch that fails: the error gives the number of the statement, and nothing of the batch is kept.'
expect '"statement":1' ask "$query/batch" --json '{
  "statements": [
    {"statement": "MATCH (a:Account {owner: \"Alice\"}) SET a.balance = 0"},
    {"statement": "RETURN $missing"}
  ]
}'
expect '"values":[[120]]' ask "$query" --json '{"statement": "MATCH (a:Account) RETURN sum(a.balance) AS balance"}'

echo '--- Ten transfers at once. Those that conflict are retried, for as long and as often as "retry" allows.'
transfer='{
  "statements": [
    {"statement": "MATCH (a:Account {owner: $from}) SET a.balance = a.balance - 1", "parameters": {"from": "Alice"}},
    {"statement": "MATCH (a:Account {owner: $to}) SET a.balance = a.balance + 1", "parameters": {"to": "Bob"}}
  ],
  "retry": {"maxTransactionRetryTime": 20, "initialRetryDelay": 0.02, "retryDelayMultiplier": 2, "retryDelayJitterFactor": 0.5}
}'
transfers=()
for number in {1..10}; do
  ask "$query/batch" --json "$transfer" >"$work/transfer-$number" &
  transfers+=($!)
done
wait "${transfers[@]}"
grep --no-filename --only-matching '"attempts":[0-9]*' "$work"/transfer-* | sort | uniq -c
expect '"values":[["Alice",90],["Bob",30]]' ask "$query" \
  --json '{"statement": "MATCH (a:Account) RETURN a.owner AS owner, a.balance AS balance ORDER BY owner"}'

echo '--- A bulk load: one request, one line per row, one transaction per 1000 rows.'
{
  echo '{"statement": "UNWIND $rows AS row CREATE (:Measurement {n: row.n})", "transactionSize": 1000, "rowsAs": "rows"}'
  seq 1 10000 | sed 's/.*/{"n": &}/'
} >"$work/rows"
expect '"committed":{"rows":10000,"transactions":10}' ask -X POST "$query/batch" \
  -H 'Content-Type: application/x-ndjson' --upload-file - <"$work/rows"

echo '--- A bulk load that fails: what was committed, and the lines of the failed transaction.'
expect '"lines":[4,5]' ask "$query/batch" -H 'Content-Type: application/x-ndjson' --data-binary \
  $'{"statement": "CREATE (:Measurement {day: date($day)})", "transactionSize": 2}\n{"day": "2026-01-30"}\n{"day": "2026-01-31"}\n{"day": "2026-01-32"}\n{"day": "2026-02-01"}\n'

echo '--- List the running statements, and cancel one.'
ask --include "$query" -H "$precise" >"$work/cancelled" \
  --json '{"statement": "UNWIND range(1, 3000) AS a UNWIND range(1, 3000) AS b RETURN count(*) AS slow"}' &
slow=$!
for _ in {1..300}; do
  running=$(ask "$query/running")
  id=$(sed -n 's/.*{"id":"\([^"]*\)","statement":"UNWIND range.*/\1/p' <<<"$running")
  [[ -z $id ]] || break
  sleep 0.1
done
echo "$running"
expect '{}' ask -X DELETE "$query/running/$id"
wait "$slow"
expect 'HTTP/1.1 409 Conflict' cat "$work/cancelled"

echo '--- A write that is sent twice with one key is carried out once: the second response is the first one again.'
booking=(ask --include "$query" -H "Idempotency-Key: booking-$$-$RANDOM"
  --json '{"statement": "CREATE (b:Booking {seat: 12}) RETURN b.seat AS seat"}')
expect '"values":[[12]]' "${booking[@]}"
expect 'idempotency-replayed: true' "${booking[@]}"
expect '"values":[[1]]' ask "$query" --json '{"statement": "MATCH (b:Booking) RETURN count(b) AS bookings"}'

echo '--- Precise statuses: the 409 above, where the Query API has 400. Each error also says whether a retry may help.'
expect '"retryable":false' ask "$query" -H "$precise" --json '{"statement": "RETRUN 1"}'

tidy_up
