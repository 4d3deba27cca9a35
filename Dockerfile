# The gateway in a container, laid out as the image of Apache APISIX is: docs/install.md.
#   docker build -t apisix-ts .                       from the sources
#   docker build -t apisix-ts --target prebuilt .     with the dist/apisix-gateway of `pnpm run build:binary`
ARG BASE_IMAGE=debian:trixie-slim
ARG BUILD_IMAGE=node:26-trixie

FROM ${BASE_IMAGE} AS base
# Node needs it, and slim images leave it out.
RUN ldconfig -p | grep -q libatomic.so.1 \
  || (apt-get update && apt-get install -y --no-install-recommends libatomic1 && rm -rf /var/lib/apt/lists/*)
RUN groupadd --system --gid 636 apisix \
  && useradd --system --uid 636 --gid apisix --no-create-home --home-dir /usr/local/apisix --shell /usr/sbin/nologin apisix
WORKDIR /usr/local/apisix
# Everything is said on the terminal: the error log is, in the foreground. A volume over logs/ brings the files back.
RUN mkdir conf data logs \
  && ln -s /dev/null logs/error.log \
  && ln -s /dev/stdout logs/admin_access.log \
  && ln -s /dev/stdout logs/access_stream.log \
  && ln -s apisix-gateway /usr/local/bin/apisix \
  && chown -R apisix:apisix .
COPY deploy/container/entrypoint.sh /docker-entrypoint.sh
ENV APISIX_PREFIX=/usr/local/apisix
USER apisix
VOLUME /usr/local/apisix/data
EXPOSE 9080 9443 9180 9091 9100
# Open connections may finish: give `docker stop` the time with --stop-timeout.
STOPSIGNAL SIGQUIT
# There as long as the gateway serves. The status API says more, where config.yaml has it.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD test -s logs/apisix.json && kill -0 "$(cat logs/nginx.pid)"
ENTRYPOINT ["/docker-entrypoint.sh"]
CMD ["docker-start"]

FROM base AS prebuilt
COPY dist/apisix-gateway /usr/local/bin/

FROM ${BUILD_IMAGE} AS build
WORKDIR /src
COPY . .
RUN node scripts/build-binary.mjs

FROM base
COPY --from=build /src/dist/apisix-gateway /usr/local/bin/
