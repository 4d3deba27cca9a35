import type { Walk } from './follow-page.ts';
import { root } from './page.ts';

/** As a user of its own, since the server does not run as root. */
const postgresql = `
PATH=$PATH:$(echo /usr/lib/postgresql/*/bin)
unshare --map-user=1000 --map-group=1000 bash -ec '
  initdb --pgdata=database --username=postgres --auth=trust --no-sync --no-instructions
  pg_ctl --pgdata=database --options="-h 127.0.0.1 -F -c unix_socket_directories=" --log=database.log --wait start
'`;

const etcd = `
etcd --data-dir etcd > etcd.log 2>&1 &
until etcdctl endpoint health 2> /dev/null; do :; done`;

const vault = `node -e 'import("${root}/packages/testkit/src/vault-server.ts").then((vault) => vault.openVaultServer({ port: 8200 }))' &`;

const mysql = `node -e 'import("${root}/e2e/testbed/mysql-local.ts").then((mysql) => mysql.startLocalMysql({ host: "127.0.0.1", port: 3306 }))' &`;

/** An installation in the folder that the page names, with what its examples ask for. */
const installed = String.raw`
ln -s "$PWD" /srv/gateway
sed -i 's/- 9100.*/- 9100\n      - { addr: 9443, tls: true }\n    udp: [53]/' conf/config.yaml
cp conf/config.yaml conf/edge.yaml
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=db.example.com -keyout key -out cert
node -e 'const read = require("node:fs").readFileSync
console.log(JSON.stringify({
  stream_routes: [{ id: "mysql", upstream: { nodes: { "10.0.0.5:3306": 1 } } }],
  ssls: [{ id: "db", sni: "db.example.com", cert: read("cert", "utf8"), key: read("key", "utf8") }],
}))' > resources.json
bin/apisix import resources.json`;

/** What is left when a file was damaged and the gateway has set it aside; there is an export. */
const damaged = String.raw`
bin/apisix start
curl -X PUT http://127.0.0.1:9180/apisix/admin/stream_routes/mysql -d '{"upstream": {"nodes": {"10.0.0.5:3306": 1}}}'
bin/apisix export all.yaml
bin/apisix quit
printf damage | dd of=data/apisix.db bs=1 seek=4096 conv=notrunc
! bin/apisix start
ls data/apisix.db.damaged-*`;

/** What APISIX leaves in etcd, and a server that its route leads to. */
const apisix = String.raw`
node -e 'require("node:http").createServer((_, to) => to.end("the server\n")).listen(8001, "127.0.0.1")' &${etcd}
times='"create_time":1795399564,"update_time":1795399564'
for kind in consumers global_rules plugin_configs protos routes services ssls stream_routes upstreams; do
  etcdctl put /apisix/$kind/ init_dir
done
etcdctl put /apisix/upstreams/web '{"id":"web","type":"roundrobin","nodes":{"127.0.0.1:8001":1},'"$times}"
etcdctl put /apisix/stream_routes/web '{"id":"web","server_port":9100,"upstream_id":"web",'"$times"',
  "plugins":{"ip-restriction":{"whitelist":["127.0.0.9"]}}}'`;

/** The pages whose commands are run. Those of one walk share a gateway. */
export const walks: readonly Walk[] = [
  { pages: ['docs/getting-started.md'] },
  {
    pages: ['docs/guides/from-apisix.md'],
    servers: apisix,
    opens: [8001],
  },
  { pages: ['docs/guides/from-haproxy.md'] },
  { pages: ['docs/guides/from-nginx.md'] },
  {
    pages: ['docs/guides/mqtt.md'],
    servers: `for port in 1883 1884; do
        printf 'listener %s 127.0.0.1\\nallow_anonymous true\\nuser root\\n' $port > mosquitto-$port.conf
        mosquitto -d -c mosquitto-$port.conf
      done`,
    opens: [1883, 1884],
  },
  { pages: ['docs/guides/limits.md'] },
  { pages: ['docs/plugins/README.md', 'docs/plugins/ip-restriction.md', 'docs/plugins/limit-conn.md'] },
  { pages: ['docs/plugins/syslog.md', 'docs/plugins/prometheus.md'] },
  {
    pages: ['docs/plugins/traffic-split.md'],
    servers: 'for port in 6379 6380; do redis-server --port $port --save "" --daemonize yes; done',
    opens: [6379, 6380],
  },
  {
    // What one page makes, the other one moves.
    pages: ['docs/config/upstream.md', 'docs/guides/moving.md'],
    servers: etcd,
  },
  { pages: ['docs/guides/postgresql.md'], servers: postgresql },
  { pages: ['docs/access-log.md', 'docs/guides/passthrough.md', 'docs/guides/proxy-protocol.md'] },
  {
    pages: ['docs/guides/redis.md'],
    servers: 'for port in 6379 6380; do redis-server --port $port --save "" --daemonize yes; done',
    opens: [6379, 6380],
  },
  {
    pages: ['docs/guides/tls.md'],
    servers: `redis-server --port 6379 --save "" --daemonize yes
      socat TCP-LISTEN:1883,bind=127.0.0.1,fork EXEC:cat &`,
    opens: [6379, 1883],
    names: { 'db.example.com': '127.0.0.1' },
  },
  { pages: ['docs/names.md', 'docs/guides/udp.md', 'docs/status-api.md'] },
  { pages: ['docs/operations/seeing.md'] },
  {
    // They write resources and look at what the gateway tells; none needs what another one leaves.
    pages: [
      'docs/balancers/chash.md',
      'docs/balancers/ewma.md',
      'docs/balancers/least-conn.md',
      'docs/balancers/random.md',
      'docs/balancers/roundrobin.md',
      'docs/config/consumer-group.md',
      'docs/config/consumer.md',
      'docs/config/credential.md',
      'docs/config/global-rule.md',
      'docs/config/upstream.md',
      'docs/config/health-checks.md',
      'docs/config/plugin-config.md',
      'docs/config/plugin-metadata.md',
      'docs/config/proto.md',
      'docs/config/route.md',
      'docs/config/secret.md',
      'docs/config/service.md',
      'docs/config/ssl.md',
      'docs/config/stream-route.md',
      'docs/metrics.md',
      'docs/plugins/mqtt-proxy.md',
    ],
  },
  {
    pages: ['README.md', 'docs/guides/mysql.md'],
    servers: mysql,
    opens: [3306],
    names: { mysql: '127.0.0.1' },
  },
  { pages: ['docs/install.md'], startsGateway: true },
  {
    pages: ['docs/cli.md'],
    servers: installed,
    addresses: ['10.0.0.5'],
    writes: ['/srv'],
    startsGateway: true,
  },
  { pages: ['docs/stores/embedded.md'], servers: damaged, startsGateway: true },
  { pages: ['docs/deployment.md'], servers: etcd },
  { pages: ['docs/guides/secrets.md'], servers: vault, opens: [8200] },
  {
    // With the key that its examples send.
    pages: ['docs/config/admin-api.md'],
    servers: "sed -i 's/admin_key_required: false/admin_key_required: true/' conf/config.yaml",
    resources: 'admin_key=$(cat data/admin.key)',
  },
  {
    pages: ['docs/control-api.md', 'docs/operations/upgrading.md', 'docs/operations/draining.md'],
    addresses: ['10.0.0.5'],
    resources: `routes=http://127.0.0.1:9180/apisix/admin
      curl -X PUT $routes/upstreams/reporting -d '{"nodes": {"10.0.0.5:3306": 1, "10.0.0.6:3306": 1}}'
      curl -X PUT $routes/stream_routes/mysql -d '{"upstream_id": "reporting"}'`,
  },
];
