# The gateway as a container image: one binary on a base without a shell; it does not run as root and writes no files.
# The build needs BuildKit (the default in Docker 23 and later; set DOCKER_BUILDKIT=1 before that).
#
# docs/deployment/README.md says how to run it, and how to build the same bytes again.

# Tags move. For a build that can be repeated, name the images by digest: --build-arg BUILD_IMAGE=rust@sha256:…
ARG BUILD_IMAGE=rust:1.95-slim-bookworm
ARG BASE_IMAGE=gcr.io/distroless/cc-debian12:nonroot

FROM ${BUILD_IMAGE} AS build
# Adds the list of dependencies to the binary, where scanners find it.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    CARGO_PROFILE_RELEASE_OPT_LEVEL=0 cargo install --locked --root /usr/local cargo-auditable@0.7.7
WORKDIR /build
COPY . .
# A Cargo profile: `release` for shipped images, `dev` for a quick test.
ARG BOLTGATE_IMAGE_PROFILE=release
# Everything but the embedded database.
ARG BOLTGATE_IMAGE_FEATURES=arrow,console,mcp,otlp
# The commit, shown in boltgate_build_info: --build-arg BOLTGATE_REVISION="$(git rev-parse --short HEAD)"
ARG BOLTGATE_REVISION=unknown
# Seconds since 1970, for the files' times: --build-arg SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)"
ARG SOURCE_DATE_EPOCH=0
# `touch src`, because Cargo compares times, and a checkout may be older than the sources of the cached target folder.
# Messages of panics name places in sources, wherever those are.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target,sharing=locked \
    find src -name '*.rs' -exec touch {} + \
    && export RUSTFLAGS='--remap-path-prefix=/build=boltgate --remap-path-prefix=/usr/local/cargo/registry/src=crates' \
    && cargo auditable build --locked --no-default-features --features "$BOLTGATE_IMAGE_FEATURES" --bin boltgate \
        --profile "$BOLTGATE_IMAGE_PROFILE" \
    && folder="$BOLTGATE_IMAGE_PROFILE" \
    && if [ "$folder" = dev ]; then folder=debug; fi \
    && mkdir -p /image/usr/local/bin /image/etc/boltgate /image/usr/share/doc/boltgate \
    && cp "target/$folder/boltgate" /image/usr/local/bin/ \
    && cp config/container.toml /image/etc/boltgate/boltgate.toml \
    && cp LICENSE /image/usr/share/doc/boltgate/ \
    && .ci/third-party-licences --no-default-features --features "$BOLTGATE_IMAGE_FEATURES" \
        > /image/usr/share/doc/boltgate/third-party-licences.txt \
    && find /image -exec touch --date "@$SOURCE_DATE_EPOCH" {} +

FROM ${BASE_IMAGE}
COPY --from=build /image /
# A number, because Kubernetes can check `runAsNonRoot` only for a number.
USER 65532:65532
# Settings are in this file, so that one mounted over it is what counts: a variable for a setting would silently override it.
ENV BOLTGATE_CONFIG=/etc/boltgate/boltgate.toml
# The admin listener (7475) is not for those to whom ports are published.
EXPOSE 7474
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
    CMD ["/usr/local/bin/boltgate", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/boltgate"]
CMD ["serve"]
