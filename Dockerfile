# wbstore alone, on a base without a shell: no package manager, and not as root.
#
#   docker build -t wbstore .
#   docker run --rm --env-file aws.env wbstore plan aws --host https://wandb.acme.com
#
# Credentials are read from the environment or from the platform's metadata service, and need no home directory.
# Files are mounted: `-v "$HOME/.aws:/home/nonroot/.aws:ro"`.

FROM rust:1.95.0-bookworm@sha256:6258907abe69656e41cd992e0b705cdcfabcbbe3db374f92ed2d47121282d4a1 AS build
WORKDIR /build
COPY . .
RUN cargo build --locked --release --package wbstore --bin wbstore

# The same Debian as above: it has glibc, libgcc and the certificates of public authorities.
FROM gcr.io/distroless/cc-debian12:nonroot@sha256:9dac0a79194e45a7da0158a9c6da57b217585af0786db3845d1f0ec1a0dd182f
LABEL org.opencontainers.image.source="https://github.com/wbstore/wbstore" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /build/target/release/wbstore /usr/local/bin/wbstore
# `nonroot`; as a number, so that Kubernetes can see that it is not root.
USER 65532:65532
WORKDIR /work
ENTRYPOINT ["/usr/local/bin/wbstore"]
