# shellcheck shell=bash disable=SC2154 # variables and helpers are those of `run`
# The image by itself: sourced by `run`.
#
# Owns: what is claimed of the Dockerfile, and of one container of its image.

prove_build() {
    local bases
    mapfile -t bases < <(awk '$1 == "FROM" { print $2 }' "$repository/Dockerfile")
    [ "${bases[*]}" = "\${BUILD_IMAGE} \${BASE_IMAGE}" ] \
        || die "knows a Dockerfile of two stages; this one has ${bases[*]}: say in tests/containers/image.sh what stands in for each"
    stand_in_debian debian:bookworm-slim
    stand_in_rust "$(argument BUILD_IMAGE)"
    stand_in_distroless "$(argument BASE_IMAGE)"
    memgraph_image=$(image_of memgraph/memgraph)
    stand_in_services "$memgraph_image" "$(image_of memgraph/lab)"

    check "the build context has sources, and neither .git nor target nor .servers" context_is_small
    say "building the image from $context"
    local profile="${BOLTGATE_IMAGE_PROFILE:-release}" failed_before=$failed
    check "the Dockerfile builds, with the profile $profile" \
        build_image -f "$repository/Dockerfile" --build-arg "BOLTGATE_IMAGE_PROFILE=$profile" --build-arg SOURCE_DATE_EPOCH=86400 \
        -t boltgate "$context"
    [ "$failed" = "$failed_before" ] || die "no image, nothing to run"
    docker_builder image prune -f >/dev/null
}

prove_image() {
    prove_build
    docker_builder save boltgate "$memgraph_image" "$(image_of memgraph/lab)" | docker_runner load >/dev/null

    check "image: its user is a number and not root" is boltgate '{{.Config.User}}' 65532:65532
    check "image: is stopped by SIGTERM" is boltgate '{{.Config.StopSignal}}' SIGTERM
    check "image: exposes 7474 alone" is boltgate '{{json .Config.ExposedPorts}}' '{"7474/tcp":{}}'
    check "image: has a health check by boltgate healthcheck" is boltgate '{{json .Config.Healthcheck.Test}}' '["CMD","/usr/local/bin/boltgate","healthcheck"]'
    check "image: boltgate --version runs in it" says_version
    check "image: its variables are no settings, but name the file with the settings" names_its_file
    check "image: a file mounted over its settings is what counts" mounted_file_counts
    check "image: its binary lists its dependencies for scanners" lists_dependencies
    check "image: has the licences of everything in it" has_licences
    check "image: its files have the time that the build was given" has_time

    say "one container"
    docker_runner network create alone >/dev/null
    docker_runner run -d --name database --network alone --network-alias memgraph "$memgraph_image" >/dev/null
    gate database listen
    docker_runner run -d --name alone --network alone -p 127.0.0.1:7475:7474 --read-only --cap-drop ALL \
        --security-opt no-new-privileges --health-interval 1s --health-timeout 2s --health-retries 2 boltgate >/dev/null
    check "alone: turns healthy" await 120 health_is alone healthy
    health_is alone healthy || die "a gateway that does not turn healthy shows nothing else"
    confined alone alone
    check "alone: a query with curl goes through it" await 60 answers 7475
    check "alone: operators are answered on the container's network" await 60 operators_answered alone
    check "alone: its health check asks the admin listener" health_check_asks_admin alone
    prove_unhealthy
    prove_drain
    docker_runner rm -f alone database >/dev/null
    docker_runner network rm alone >/dev/null
}

says_version() { docker_runner run --rm --network none --read-only boltgate --version | grep -qE '^boltgate [0-9]'; }

# argument NAME: its default in the Dockerfile.
argument() { sed -n "s/^ARG $1=//p" "$repository/Dockerfile"; }

names_its_file() {
    local variables
    variables=$(inspect boltgate '{{range .Config.Env}}{{println .}}{{end}}' | grep '^BOLTGATE_')
    [ "$variables" = BOLTGATE_CONFIG=/etc/boltgate/boltgate.toml ] || { echo "# $variables" && false; }
}

# None of the image's own settings is left.
mounted_file_counts() {
    local settings
    printf '[database]\nuri = "bolt://elsewhere:7687"\n' >"$scratch/own.toml"
    settings=$(docker_runner run --rm --network none -v "$scratch/own.toml:/etc/boltgate/boltgate.toml:ro" boltgate print-config) || return 1
    grep -q '^uri = "bolt://elsewhere:7687"' <<<"$settings" && ! grep -q '0\.0\.0\.0\|memgraph:7687' <<<"$settings"
}

# file_of_image PATH: a copy of it, as $scratch/copied.
file_of_image() {
    local container copied=0
    container=$(docker_runner create boltgate)
    docker_runner cp "$container:$1" "$scratch/copied" || copied=1
    docker_runner rm "$container" && return "$copied"
} >/dev/null

lists_dependencies() { file_of_image /usr/local/bin/boltgate && grep -q '\.dep-v0' "$scratch/copied"; }

has_licences() {
    file_of_image /usr/share/doc/boltgate/third-party-licences.txt \
        && grep -q '^tokio .* MIT$' "$scratch/copied" && grep -q '^==== LICENSE:.* tokio-1' "$scratch/copied"
}

has_time() { file_of_image /usr/local/bin/boltgate && [ "$(stat -c %Y "$scratch/copied")" = 86400 ]; }

health_check_asks_admin() {
    local said
    said=$(docker_runner exec "$1" /usr/local/bin/boltgate healthcheck)
    [ "$said" = 'http://127.0.0.1:7475/live answered 200' ] || { echo "# $said" && false; }
}

operators_answered() {
    local address
    address=$(inspect "$1" '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}')
    [ "$(in_netns curl --silent --max-time 5 "http://$address:7475/live")" = alive ]
}

# image_of NAME: that image with its tag, as docker-compose.yml has it.
image_of() {
    awk -v name="$1:" '$1 == "image:" && index($2, name) == 1 { print $2 }' "$repository/docker-compose.yml" | grep . \
        || die "docker-compose.yml has no image $1 with a tag"
}

context_is_small() {
    local out="$scratch/context"
    printf 'FROM scratch\nCOPY . /\n' >"$scratch/context.Dockerfile"
    build_image -f "$scratch/context.Dockerfile" -o "type=local,dest=$out" "$context" || return 1
    [ -f "$out/Cargo.toml" ] && [ -f "$out/Cargo.lock" ] && [ -d "$out/src" ] && [ ! -e "$out/.git" ] && [ ! -e "$out/target" ] && [ ! -e "$out/.servers" ]
}

# A process that is there and does nothing: stopped from outside of its container.
prove_unhealthy() {
    local pid
    pid=$(inspect alone '{{.State.Pid}}')
    # The process 0 would be all of this test's own.
    [ "$pid" -gt 1 ] || die "the gateway ended before its time"
    kill -STOP "$pid"
    check "alone: turns unhealthy when it does not answer" await 120 health_is alone unhealthy
    kill -CONT "$pid"
    check "alone: turns healthy again when it answers" await 120 health_is alone healthy
}

# A statement that the database holds until it is told: in flight for sure when SIGTERM comes.
prove_drain() {
    local asking stopping
    ask 7475 'UNWIND range(1, 3) AS held RETURN held' >"$scratch/held" &
    asking=$!
    await 120 docker_runner exec database test -e /gates/holding || die "no statement reached the database"
    docker_runner stop --time 240 alone >/dev/null &
    stopping=$!
    check "alone: takes no new request after SIGTERM" await 60 refuses 7475
    check "alone: still runs while a request is in flight" is alone '{{.State.Running}}' true
    gate database finish
    check "alone: the request in flight gets its whole answer" answered_in_full "$asking"
    wait "$stopping"
    check "alone: ends by itself after SIGTERM, exit code 0" is alone '{{.State.ExitCode}}' 0
}

refuses() { ! in_netns curl --silent --fail --max-time 5 -o /dev/null "http://127.0.0.1:$1/"; }

answered_in_full() {
    wait "$1" || return 1
    [[ $(cat "$scratch/held") == *'"values":[[1],[2],[3]]'* ]] || { echo "# answered: $(cat "$scratch/held")" && false; }
}
