#!/usr/bin/env bash
# Starts a gateway that refuses requests without a token. It verifies the token, then uses the database with its own account.
#
#   examples/token.sh [BOLTGATE]     the program; default target/release/boltgate
#
# Needs curl 7.82 or later, and openssl. The issuer uses a shared secret, so the example needs no identity provider;
# docs/authentication.md has recipes for real ones.
set -euo pipefail

boltgate=${1:-target/release/boltgate}
address=127.0.0.1:27475
secret=$(openssl rand -hex 32)

export BOLTGATE_AUTH__ANONYMOUS=refuse
export BOLTGATE_AUTH__BASIC=refuse
export BOLTGATE_AUTH__BEARER=service
export BOLTGATE_AUTH__ISSUERS__SHOP__ISSUER=shop
export BOLTGATE_AUTH__ISSUERS__SHOP__AUDIENCE=graph
export BOLTGATE_AUTH__ISSUERS__SHOP__SECRET=$secret

"$boltgate" serve --embedded --listen "$address" 2>/dev/null &
trap 'kill $!' EXIT

base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

# token AUDIENCE: prints a JWT (RFC 7519) that is valid for five minutes.
token() {
  local content
  content=$(printf '{"alg":"HS256","typ":"JWT"}' | base64url).$(printf '{"iss":"shop","aud":"%s","sub":"alice","exp":%d}' \
    "$1" $(($(date +%s) + 300)) | base64url)
  printf '%s.%s' "$content" "$(printf '%s' "$content" | openssl dgst -sha256 -hmac "$secret" -binary | base64url)"
}

ask() {
  curl --silent --show-error --retry 50 --retry-connrefused --retry-delay 1 "http://$address/db/neo4j/query/v2" \
    --json '{"statement": "RETURN 1 AS n"}' "$@"
}

# expect TEXT COMMAND…: runs the command, shows its output, and requires TEXT in it.
expect() {
  local wanted=$1 answer
  shift
  answer=$("$@")
  echo "$answer"
  [[ $answer == *"$wanted"* ]]
}

expect '"values":[[1]]' ask -H "Authorization: Bearer $(token graph)"
expect 'The token is meant for another audience.' ask -H "Authorization: Bearer $(token others)"
expect 'No authentication header supplied.' ask
