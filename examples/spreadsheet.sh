#!/usr/bin/env bash
# Downloads a result as a CSV file for a spreadsheet. Needs curl 7.76 or later.
#
#   boltgate serve --embedded          # in another terminal
#   examples/spreadsheet.sh result.csv "UNWIND range(1, 3) AS n RETURN n, '=1+' + toString(n) AS text"
#
# BOLTGATE_URL       default http://127.0.0.1:7474
# BOLTGATE_DATABASE  default neo4j; memgraph for Memgraph
# BOLTGATE_USER      name:password, if the database requires it
set -euo pipefail

if (($# != 2)); then
  echo 'usage: spreadsheet.sh FILE STATEMENT' >&2
  exit 2
fi
file=$1
url=${BOLTGATE_URL:-http://127.0.0.1:7474}
queries=$url/db/${BOLTGATE_DATABASE:-neo4j}/query/v2

# A JSON string: whatever the statement has, quotes and lines included.
statement=${2//\\/\\\\}
statement=${statement//\"/\\\"}
statement=${statement//$'\n'/\\n}
statement=${statement//$'\t'/\\t}

# bom=present: spreadsheets take the file for UTF-8. formulas=escape: they run no text of the database's as a formula.
# A transfer that breaks off is an error of curl's, and leaves no file that looks whole.
if ! curl --silent --show-error --fail-with-body ${BOLTGATE_USER:+--user "$BOLTGATE_USER"} "$queries" \
  --header 'Content-Type: application/json' --header 'Accept: text/csv; bom=present; formulas=escape' \
  --data "{\"statement\": \"$statement\"}" --output "$file.part"; then
  cat "$file.part" >&2
  rm -f "$file.part"
  exit 1
fi
mv "$file.part" "$file"
