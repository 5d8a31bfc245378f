# shellcheck shell=bash disable=SC2154 # variables and helpers are those of `run`
# Stand-ins for the images that the Dockerfile and docker-compose.yml name, made without a registry: sourced by `run`.
#
# Owns: which image stands in for which, and saying so. What no stand-in can show: that an image of that name exists at
# its registry and has what is used of it.
# Needs: $cache, $here, $scratch, docker_builder.

stood_in=()

# The root file system of a minimal Debian 12, as a tar file that later runs use again.
debian_tar() {
    local tar="$cache/bookworm.tar" root="$cache/bookworm" mirror
    if [ ! -f "$tar" ]; then
        say "making a Debian root file system"
        mirror=$(awk '$1 == "URIs:" { print $2; exit }  $1 == "deb" { print ($2 ~ /^\[/) ? $4 : $2; exit }' \
            /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null) || true
        [ -n "$mirror" ] || die "finds no Debian mirror in /etc/apt/sources.list or /etc/apt/sources.list.d/debian.sources"
        rm -rf "$root"
        nice debootstrap --variant=minbase --keyring=/usr/share/keyrings/debian-archive-keyring.gpg --include=ca-certificates \
            bookworm "$root" "$mirror" >"$scratch/debootstrap.log" 2>&1 \
            || die "debootstrap failed" "$scratch/debootstrap.log"
        # The machine's own authorities: a build's downloads may pass through one of them.
        cp "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" "$root/etc/ssl/certs/ca-certificates.crt"
        tar -C "$root" --exclude=./var/cache/apt/archives --exclude=./proc --exclude=./sys --exclude=./dev -cf "$tar.part" .
        rm -rf "$root"
        mv "$tar.part" "$tar"
    fi
}

have_image() { docker_builder image inspect "$1" >/dev/null 2>&1; }

stand_in_debian() {
    local image=$1
    stood_in+=("$image: a minimal Debian 12 by debootstrap")
    have_image "$image" && return
    debian_tar
    docker_builder import "$cache/bookworm.tar" "$image" >/dev/null
}

# The official image's ingredients: Debian's gcc and libc, and a toolchain; here the machine's own one.
stand_in_rust() {
    local image=$1 wanted have sysroot
    wanted=${image#rust:}
    wanted=${wanted%%-*}
    have=$(rustc --version | cut -d' ' -f2)
    [[ $have == "$wanted" || $have == "$wanted".* ]] || die "the Dockerfile builds with Rust $wanted, this machine has $have: install it, or change $image"
    stood_in+=("$image: that Debian with gcc, libc6-dev and wget, and this machine's Rust $have")
    sysroot=$(rustc --print sysroot)
    printf '/share\n/lib/rustlib/src\n' >"$scratch/rust.dockerignore"
    cat >"$scratch/rust" <<'DOCKERFILE'
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev wget && rm -rf /var/lib/apt/lists/*
ENV CARGO_HOME=/usr/local/cargo PATH=/usr/local/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
COPY . /usr/local/rust
DOCKERFILE
    build_image -f "$scratch/rust" -t "$image" "$sysroot"
}

# Of the official image: C libraries, authorities, the user, /tmp. No shell and no package manager either.
stand_in_distroless() {
    local image=$1 root="$scratch/distroless"
    stood_in+=("$image: libc, libgcc, libstdc++ and CA certificates of that Debian, and the user 65532")
    have_image "$image" && return
    debian_tar
    mkdir -p "$root/all"
    tar -C "$root/all" -xf "$cache/bookworm.tar"
    (
        cd "$root/all" || exit 1
        cat var/lib/dpkg/info/{libc6,libgcc-s1,libstdc++6}:*.list | while read -r file; do
            if [ -f ".$file" ] && [[ $file != */share/* ]]; then echo ".$file"; fi
        done | sort -u | tar -cf ../files.tar -T - ./etc/ssl/certs/ca-certificates.crt ./etc/nsswitch.conf
        rm -rf ../all
        mkdir -p ../files && tar -C ../files -xf ../files.tar
    )
    mkdir -p "$root/files/home/nonroot" "$root/files/tmp"
    chmod 1777 "$root/files/tmp"
    printf 'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n' >"$root/files/etc/passwd"
    printf 'root:x:0:\nnonroot:x:65532:\n' >"$root/files/etc/group"
    chown 65532:65532 "$root/files/home/nonroot"
    tar -C "$root/files" -c . | docker_builder import -c 'USER 65532' -c 'WORKDIR /home/nonroot' \
        -c 'ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt' - "$image" >/dev/null
    rm -rf "$root"
}

# stand_in_services MEMGRAPH LAB: what docker-compose.yml starts beside the gateway.
stand_in_services() {
    stood_in+=("$1: tests/containers/memgraph, a Bolt 5.2 server that knows three statements, with a console named mgconsole")
    build_image --target memgraph -t "$1" "$here/memgraph"
    stood_in+=("$2: a container that sleeps")
    build_image --target lab -t "$2" "$here/memgraph"
}

# Builds with the machine's network; what the build printed is shown only when it fails.
build_image() {
    docker_builder build --network host --progress plain "$@" >"$scratch/build.log" 2>&1 || {
        tail -n 60 "$scratch/build.log" >&2
        return 1
    }
}
