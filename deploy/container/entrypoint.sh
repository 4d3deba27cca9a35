#!/bin/sh
# The entry point of the image: `docker-start` runs the gateway, anything else is a command.
set -eu
cd "${APISIX_PREFIX:=/usr/local/apisix}"
export APISIX_PREFIX

# $1: the role and the store, as lines below `deployment:`.
make_config() {
  cat >conf/config.yaml <<END
# Made at the first start of the container, because there was no other.
apisix:
  proxy_mode: http&stream
  stream_proxy:
    tcp:
      - 9100
deployment:
$1
  admin:
    allow_admin: # with the key in data/admin.key, unless admin_key names another
      - 0.0.0.0/0
      - ::/0
plugin_attr:
  prometheus:
    export_addr:
      ip: 0.0.0.0
      port: 9091
END
}

traditional() {
  printf '  role: traditional\n  role_traditional:\n    config_provider: %s\n' "$1"
}

if [ "${1-}" != docker-start ]; then
  exec "$@"
fi

# Of a container that was killed: its process ids mean nothing here.
rm -f logs/nginx.pid logs/apisix.json
if [ ! -f conf/config.yaml ]; then
  if [ "${APISIX_STAND_ALONE-}" = true ]; then
    make_config "$(printf '  role: data_plane\n  role_data_plane:\n    config_provider: yaml\n')"
  elif [ -n "${APISIX_DEPLOYMENT_ETCD_HOST-}" ]; then
    make_config "$(traditional etcd)"
  else
    make_config "$(traditional embedded)"
  fi
fi
if [ "${APISIX_STAND_ALONE-}" = true ] && [ ! -f conf/apisix.yaml ] && [ ! -f conf/apisix.json ]; then
  printf '# It is read again when it changes.\nstream_routes: []\n#END\n' >conf/apisix.yaml
fi
exec apisix start --foreground
