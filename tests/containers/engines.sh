# shellcheck shell=bash disable=SC2154 # variables and helpers are those of `run`
# Container engines that live as long as the test: sourced by `run`.
#
# Owns: `builder`, which has the machine's network because a build downloads crates, and whose layers and caches are kept
# for the next run; `runner`, in a network namespace of its own so that bridges and firewall rules do not touch the
# machine, thrown away afterwards. Nothing is ever pulled: neither reaches a registry in these tests.
# Needs: $cache (kept), $scratch (short: a socket's path has at most 107 bytes).

netns="boltgate-$$"

docker_builder() { DOCKER_BUILDKIT=1 DOCKER_HOST="unix://$scratch/builder.sock" "$docker" "$@"; }
docker_runner() { DOCKER_HOST="unix://$scratch/runner.sock" "$docker" "$@"; }
in_netns() { nsenter --net="/run/netns/$netns" "$@"; }

install_engine() {
    local missing=()
    command -v dockerd >/dev/null || missing+=(docker.io)
    command -v docker-compose >/dev/null || missing+=(docker-compose)
    command -v debootstrap >/dev/null || missing+=(debootstrap)
    command -v ip >/dev/null || missing+=(iproute2)
    command -v iptables >/dev/null || missing+=(iptables)
    if [ ${#missing[@]} -gt 0 ]; then
        say "installing ${missing[*]}"
        { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"; } \
            >"$scratch/apt.log" 2>&1 || die "apt-get could not install ${missing[*]}" "$scratch/apt.log"
    fi
    # The client of the engine's own package; another one first on the PATH may want a plug-in to build.
    docker=/usr/bin/docker
    [ -x "$docker" ] || docker=$(command -v docker)
}

# engine_start NAME COMMAND…: COMMAND is what dockerd runs under.
engine_start() {
    local name=$1
    shift
    engine_end "$name" # one that a killed run left behind
    # In a session of its own: an interrupt at the terminal is for the test, which then ends its engines in order.
    setsid "$@" dockerd --storage-driver=overlay2 --data-root "$cache/$name" --exec-root "$scratch/$name" \
        --pidfile "$scratch/$name.pid" -H "unix://$scratch/$name.sock" \
        "${engine_options[@]}" >"$scratch/$name.log" 2>&1 9>&- &
    echo $! >"$cache/$name.pid"
    disown
    await 120 "docker_$name" version || die "the engine '$name' does not start" "$scratch/$name.log"
}

# Ends an engine by the pid that was noted, if that still is an engine on this very folder, and what it left mounted.
engine_end() {
    local name=$1 pid mount
    pid=$(cat "$cache/$name.pid" 2>/dev/null) || return 0
    if [ -d "/proc/$pid" ] && tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF -- "--data-root $cache/$name "; then
        kill "$pid"
        await 60 process_gone "$pid" || kill -KILL "$pid"
    fi
    rm -f "$cache/$name.pid"
    while read -r mount; do umount -l "$mount"; done < <(
        awk -v data="$cache/$name/" -v exec="$scratch/$name/" 'index($2 "/", data) == 1 || index($2, exec) == 1 { print $2 }' /proc/self/mounts | sort -r
    )
}

process_gone() { ! kill -0 "$1" 2>/dev/null; }

builder_start() {
    mkdir -p "$cache/builder"
    engine_options=(--bridge=none --iptables=false)
    engine_start builder nice -n 10
}

runner_start() {
    runner_remove
    mkdir -p "$cache/runner"
    ip netns add "$netns"
    in_netns ip link set lo up
    engine_options=()
    # `ip netns exec` would remount /sys, without the cgroups that the engine looks for.
    engine_start runner nsenter --net="/run/netns/$netns"
}

runner_remove() {
    local name
    if [ -S "$scratch/runner.sock" ]; then
        # shellcheck disable=SC2046 # one argument per container
        docker_runner rm -f $(docker_runner ps -aq) >/dev/null 2>&1 || true
    fi
    engine_end runner
    for name in $(ip netns list | awk '/^boltgate-[0-9]+/ { print $1 }'); do
        [ "$name" = "$netns" ] || process_gone "${name#boltgate-}" && ip netns del "$name"
    done
    rm -rf "$cache/runner"
}

engines_remove() {
    runner_remove
    engine_end builder
    ip netns del "$netns" 2>/dev/null
}
