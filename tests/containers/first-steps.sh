# shellcheck shell=bash disable=SC2154 # variables and helpers are those of `run`
# The README's quick start to the letter, in a clean container: sourced by `run`.
#
# Owns: what such a machine has. That is what the README asks for, Git's files of a fresh clone, and Python for the script
# that types the commands; in particular, no crate was downloaded and nothing was built.

prove_first_steps() {
    local image
    image=$(argument BUILD_IMAGE)
    stand_in_debian debian:bookworm-slim
    stand_in_rust "$image"
    git clone --quiet --depth 1 "file://$repository" "$scratch/clone"
    cat >"$scratch/first-steps" <<DOCKERFILE
FROM $image
RUN apt-get update && apt-get install -y --no-install-recommends curl python3 && rm -rf /var/lib/apt/lists/*
ENV PATH=/usr/local/cargo/bin:\$PATH
WORKDIR /boltgate
COPY . .
# In a layer that no earlier run has: its own time is in it.
RUN echo $(date +%s) && tests/first_steps/run
DOCKERFILE
    # The repository has one of its own, for its image.
    echo "# everything of the clone" >"$scratch/first-steps.dockerignore"
    say "typing the README's commands in $image, from the last commit"
    check "first steps: the README's commands work on a clean machine" build_image -f "$scratch/first-steps" "$scratch/clone"
    sed -n 's/^#[0-9]* [0-9.]* \(\(not \)\{0,1\}ok - README.*\)/# \1/p' "$scratch/build.log"
}
