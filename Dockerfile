# The gateway as a container image: one binary on a base without a shell; it does not run as root and writes no files.
# The build needs BuildKit (the default in Docker 23 and later; set DOCKER_BUILDKIT=1 before that).

FROM rust:1.95-slim-bookworm AS build
# A Cargo profile: `release` for shipped images, `dev` for a quick test.
ARG BOLTGATE_IMAGE_PROFILE=release
WORKDIR /build
COPY . .
# `touch`, because Cargo compares times, and a checkout may be older than the sources of the cached target folder.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target,sharing=locked \
    find src -name '*.rs' -exec touch {} + \
    && cargo build --locked --no-default-features --bin boltgate --profile "$BOLTGATE_IMAGE_PROFILE" \
    && folder="$BOLTGATE_IMAGE_PROFILE" \
    && if [ "$folder" = dev ]; then folder=debug; fi \
    && cp "target/$folder/boltgate" /boltgate

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /boltgate /usr/local/bin/boltgate
# A number, because Kubernetes can check `runAsNonRoot` only for a number.
USER 65532:65532
ENV BOLTGATE_SERVER__LISTEN=0.0.0.0:7474 \
    BOLTGATE_DATABASE__URI=bolt://memgraph:7687
EXPOSE 7474
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
    CMD ["/usr/local/bin/boltgate", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/boltgate"]
CMD ["serve"]
