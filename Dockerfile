# The gateway as a container image: one binary on a base without a shell, not root, nothing to write.
# The build needs BuildKit (the default of Docker 23 and later; DOCKER_BUILDKIT=1 before).

FROM rust:1.95-slim-bookworm AS build
# A Cargo profile: `release` for what is shipped, `dev` for a quick look.
ARG BOLTGATE_IMAGE_PROFILE=release
WORKDIR /build
COPY . .
# Cargo compares times, and a checkout may be older than what the cached target folder was built from: hence `touch`.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target,sharing=locked \
    find src -name '*.rs' -exec touch {} + \
    && cargo build --locked --no-default-features --bin boltgate --profile "$BOLTGATE_IMAGE_PROFILE" \
    && folder="$BOLTGATE_IMAGE_PROFILE" \
    && if [ "$folder" = dev ]; then folder=debug; fi \
    && cp "target/$folder/boltgate" /boltgate

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /boltgate /usr/local/bin/boltgate
# By number: Kubernetes can only check `runAsNonRoot` on a number.
USER 65532:65532
ENV BOLTGATE_SERVER__LISTEN=0.0.0.0:7474 \
    BOLTGATE_DATABASE__URI=bolt://memgraph:7687
EXPOSE 7474
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
    CMD ["/usr/local/bin/boltgate", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/boltgate"]
CMD ["serve"]
