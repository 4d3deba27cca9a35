import type { Given } from './follow-page.ts';

/** As a user of its own, since the server does not run as root. */
const postgresql = `
PATH=$PATH:$(echo /usr/lib/postgresql/*/bin)
unshare --map-user=1000 --map-group=1000 bash -ec '
  initdb --pgdata=database --username=postgres --auth=trust --no-sync --no-instructions
  pg_ctl --pgdata=database --options="-h 127.0.0.1 -k /tmp -F" --log=database.log --wait start
'`;

/** The pages whose commands are run, with what each takes for granted. */
export const pages: Readonly<Record<string, Given>> = {
  'docs/getting-started.md': {},
  'docs/guides/mqtt.md': {
    servers: `printf 'listener 1883 127.0.0.1\\nallow_anonymous true\\nuser root\\n' > mosquitto.conf
      mosquitto -d -c mosquitto.conf`,
    opens: [1883],
  },
  'docs/guides/passthrough.md': {},
  'docs/guides/postgresql.md': { servers: postgresql },
  'docs/guides/proxy-protocol.md': {},
  'docs/guides/redis.md': {
    servers: 'for port in 6379 6380; do redis-server --port $port --save "" --daemonize yes; done',
    opens: [6379, 6380],
  },
  'docs/guides/udp.md': {},
};
