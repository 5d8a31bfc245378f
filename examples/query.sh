#!/usr/bin/env bash
# A nightly report: rows into a CSV file, which is replaced only by a complete one, and another attempt if the database is away.
#
#   boltgate serve --embedded          # in another terminal
#   examples/query.sh [BOLTGATE]       the program; default target/release/boltgate
#
# BOLTGATE_URL   default http://127.0.0.1:7474
# Credentials as docs/command-line.md says: BOLTGATE_USER and BOLTGATE_PASSWORD, or BOLTGATE_TOKEN.
set -euo pipefail

boltgate=${1:-target/release/boltgate}
url=${BOLTGATE_URL:-http://127.0.0.1:7474}
report=$(mktemp -d)/orders.csv
trap 'rm -rf "$(dirname "$report")"' EXIT

# ask ARGUMENTS…: runs `boltgate query`, at most three times. 3 says that nothing has happened; everything else is final.
ask() {
  local attempt status
  for attempt in 1 2 3; do
    status=0
    "$boltgate" query --url "$url" --quiet "$@" || status=$?
    ((status == 3 && attempt < 3)) || return "$status"
    sleep "$attempt"
  done
}

# expect WANTED GIVEN
expect() {
  [[ $2 == "$1" ]] || {
    echo "expected '$1', not '$2'" >&2
    exit 1
  }
}

ask 'UNWIND $orders AS o CREATE (:ReportOrder {id: o.id, total: o.total})' \
  --params '{"orders": [{"id": 1, "total": 9.5}, {"id": 2, "total": 20.0}]}'

ask 'MATCH (o:ReportOrder) WHERE o.total >= $least RETURN o.id AS id, o.total AS total ORDER BY id' \
  --param least=5 --read --timeout 30s --output "$report"
cat "$report"
expect $'id,total\r\n1,9.5\r\n2,20.0\r' "$(cat "$report")"

# A statement that fails leaves the report as it was.
status=0
ask 'RETURN nothing' --output "$report" || status=$?
expect 1 "$status"
expect 3 "$(wc -l <"$report")"

expect 29.5 "$(ask 'MATCH (o:ReportOrder) RETURN sum(o.total) AS total' --format ndjson | sed 's/.*://; s/}//')"
ask 'MATCH (o:ReportOrder) DETACH DELETE o'
