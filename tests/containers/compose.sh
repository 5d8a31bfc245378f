# shellcheck shell=bash disable=SC2154 # variables and helpers are those of `run`
# docker-compose.yml as it stands: sourced by `run`.
#
# Owns: what is claimed of the services together.

compose() {
    DOCKER_HOST="unix://$scratch/runner.sock" docker-compose --project-name compose --file "$repository/docker-compose.yml" "$@" \
        >>"$scratch/compose.log" 2>&1
}

# The container of a service; its name depends on the version of compose.
container() { docker_runner ps -aq --filter "label=com.docker.compose.service=$1"; }

prove_compose() {
    local database gateway starting
    say "docker-compose.yml"
    compose up -d --no-build 9>&- &
    starting=$!
    await 120 probed || die "the database's health check never ran" "$scratch/compose.log"
    database=$(container memgraph)
    check "compose: the gateway does not start before the database is healthy" not_running gateway
    gate "$database" listen
    check "compose: comes up" wait "$starting"
    gateway=$(container gateway)
    [ -n "$gateway" ] || die "no gateway came up" "$scratch/compose.log"
    check "compose: the gateway started after the database turned healthy" started_after "$gateway" "$database"
    check "compose: the gateway turns healthy" await 120 health_is "$gateway" healthy
    confined "$gateway" "compose: the gateway"
    check "compose: a query with curl goes through it" await 60 answers 7474
    check "compose: publishes ports on loopback only" loopback_only "$gateway" "$database"
    check "compose: does not publish the admin listener" not_published "$gateway" 7475
    check "compose: Memgraph Lab does not start unasked" test -z "$(container lab)"

    compose stop memgraph
    check "compose: a query without a database is answered with an error" answers_with_error
    compose start memgraph
    check "compose: queries go through again once the database is back" await 120 answers 7474
    check "compose: the gateway ran on meanwhile" is "$gateway" '{{.State.Running}} {{.RestartCount}}' 'true 0'

    compose --profile lab up -d --no-build
    check "compose: with the profile lab, Memgraph Lab runs" is "$(container lab)" '{{.State.Running}}' true
    check "compose: Memgraph Lab is told where the database is" lab_knows_database
    check "compose: Memgraph Lab is published on loopback only" loopback_only "$(container lab)"
    compose stop gateway
    check "compose: the gateway ends by itself, exit code 0" is "$gateway" '{{.State.ExitCode}}' 0
}

probed() { [ "$(docker_runner inspect -f '{{len .State.Health.Log}}' "$(container memgraph)")" -gt 0 ]; }

not_running() { [ -z "$(docker_runner ps -q --filter "label=com.docker.compose.service=$1")" ]; }

started_after() {
    local healthy started
    healthy=$(inspect "$2" '{{range .State.Health.Log}}{{if eq .ExitCode 0}}{{.End.Format "2006-01-02T15:04:05.000000000Z07:00"}} {{end}}{{end}}' | cut -d' ' -f1)
    started=$(inspect "$1" '{{.State.StartedAt}}')
    [ -n "$healthy" ] && [ "$(date -d "$started" +%s%N)" -gt "$(date -d "$healthy" +%s%N)" ]
}

# Every port that the machine's side has, of each container.
loopback_only() {
    local name hosts
    for name; do
        hosts=$(inspect "$name" '{{range $port, $at := .HostConfig.PortBindings}}{{range $at}}{{.HostIp}} {{end}}{{end}}')
        [[ $hosts =~ ^(127\.0\.0\.1 )*$ ]] || { echo "# published on: $hosts" && return 1; }
    done
}

not_published() { ! inspect "$1" '{{json .HostConfig.PortBindings}}' | grep -q "\"$2/tcp\""; }

answers_with_error() {
    local answer
    answer=$(in_netns curl --silent --max-time 60 -w '\n%{http_code}' -H 'Content-Type: application/json' -H 'Accept: application/json' \
        -d '{"statement":"RETURN 1 AS n"}' http://127.0.0.1:7474/db/memgraph/query/v2) || return 1
    [[ $answer == *'"errors":[{'*$'\n'[45]?? ]] || { echo "# answered: $answer" && false; }
}

lab_knows_database() {
    inspect "$(container lab)" '{{range .Config.Env}}{{println .}}{{end}}' | grep -qx QUICK_CONNECT_MG_HOST=memgraph
}
