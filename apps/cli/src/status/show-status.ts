import type { ConfigStatus } from '@apisix-ts/control';
import type { CommandContext } from '../command.ts';
import { durationText } from '../duration-text.ts';
import { createPaint } from '../paint.ts';
import type { Paint } from '../paint.ts';
import { printable } from '../printable.ts';
import { showFacts } from '../show-facts.ts';
import type { HealthSummary, ShownDrain, StatusReport } from './status-report.ts';

/** Things of one sort to name; `--json` has them all. */
const SOME = 5;

type Fact = readonly [name: string, value: string];

export function showStatus(context: CommandContext, report: StatusReport): void {
  const paint = createPaint(context);
  const { state, reason, pid, gateway } = report;
  const version = gateway === undefined ? '' : ` ${gateway.version}`;
  if (state === 'serving') context.stdout.write(`${paint.good(`APISIX${version} is serving`)}\n`);
  else if (state === 'unclear') context.stdout.write(`${paint.bad('APISIX does not serve')}: ${reason}\n`);
  else context.stdout.write(`${paint.bad('APISIX is not running')}: ${reason}\n`);
  if (pid === undefined) return;
  context.stdout.write('\n');
  showFacts(context, [
    ...processFacts(report),
    ...(gateway === undefined ? [] : gatewayFacts(gateway, paint)),
    ...healthFacts(report.health, paint),
    ...drainFacts(report.draining ?? [], paint),
    ...placeFacts(report),
  ]);
}

function processFacts({ pid, started, home, config, last_reload: reload }: StatusReport): readonly Fact[] {
  return [
    ['process', `${pid}${started === undefined ? '' : `, for ${durationText(Date.now() - started)}`}`],
    ['home', home],
    ...(config === undefined ? [] : [['config', config] as const]),
    ...(reload?.ok === false
      ? [['last reload', `failed: ${reload.error ?? 'without a reason'}`] as const]
      : []),
    ...(reload?.pending?.length
      ? [['last reload', `waits for a restart: ${some(reload.pending)}`] as const]
      : []),
  ];
}

function gatewayFacts(status: ConfigStatus, paint: Paint): readonly Fact[] {
  const { role, store, workers, applied_revision: applied, listeners, sessions, rejected, faults } = status;
  const isAway = store.state === 'away';
  const storeText = `${status.config_provider}, ${store.state}, revision ${store.revision}`;
  const names = listeners.map(
    ({ protocol, host, port }) => `${protocol} ${host.includes(':') ? `[${host}]` : host}:${port}`,
  );
  const behind = workers.filter(({ revision }) => revision < store.revision);
  return [
    ['role', role],
    ['store', isAway ? paint.warn(`${storeText}: ${store.error}`) : storeText],
    ...(status.snapshot?.serving === true
      ? [['store', paint.warn(`serves from ${status.snapshot.path}`)] as const]
      : []),
    ['in effect', `revision ${applied} in ${workers.length} worker${workers.length === 1 ? '' : 's'}`],
    ...(behind.length === 0
      ? []
      : [
          [
            'in effect',
            `on its way: ${some(behind.map(({ id, revision }) => `worker ${id} has ${revision}`))}`,
          ] as const,
        ]),
    ['listeners', names.length === 0 ? 'none' : some(names)],
    [
      'sessions',
      `${sessions.open} open${sessions.waiting === 0 ? '' : `, ${sessions.waiting} of them wait for a node`}`,
    ],
    ...problems('rejected', rejected, paint),
    ...problems('faults', faults, paint),
  ];
}

interface Trouble {
  readonly resource: string;
  readonly reason: string;
  readonly serves_last_good: boolean;
}

function problems(name: string, found: readonly Trouble[], paint: Paint): readonly Fact[] {
  if (found.length === 0) return [[name, 'none']];
  const lines = found.slice(0, SOME).map(({ resource, reason, serves_last_good: servesFormer }) => {
    const rest = servesFormer ? 'its last good version serves' : 'nothing serves in its place';
    return [name, paint.warn(`${printable(resource)}: ${printable(reason)} (${rest})`)] as const;
  });
  const more = found.length - lines.length;
  return more === 0 ? lines : [...lines, [name, `and ${more} more (--json)`]];
}

function healthFacts(health: HealthSummary | undefined, paint: Paint): readonly Fact[] {
  if (health === undefined) return [];
  const { upstreams, nodes, unhealthy } = health;
  if (upstreams === 0) return [['health', 'nothing is checked']];
  if (unhealthy.length === 0) return [['health', `all ${nodes} nodes of ${upstreams} upstreams are healthy`]];
  return [
    [
      'health',
      paint.bad(`${unhealthy.length} of ${nodes} nodes are unhealthy: ${printable(some(unhealthy))}`),
    ],
  ];
}

function drainFacts(drains: readonly ShownDrain[], paint: Paint): readonly Fact[] {
  const texts = drains.map(({ sessions, listener, route, upstream, node }) => {
    const [kind, name] =
      Object.entries({ listener, route, upstream, node }).find(([, each]) => each !== undefined) ?? [];
    return `${kind} ${name} (${sessions} sessions left)`;
  });
  return texts.length === 0 ? [] : [['draining', paint.warn(printable(some(texts)))]];
}

function placeFacts({ admin_api: admin, control_api: control, log }: StatusReport): readonly Fact[] {
  const facts: Fact[] = [];
  if (admin === null) facts.push(['Admin API', 'off']);
  else if (admin !== undefined) facts.push(['Admin API', admin.url]);
  if (admin?.key_file !== undefined) {
    facts.push(['Admin key', `${admin.key ?? 'not readable for this user'} (${admin.key_file})`]);
  }
  if (control === null) facts.push(['Control API', 'off, so there is nobody to ask for more']);
  else if (control !== undefined) facts.push(['Control API', control]);
  if (log !== undefined) facts.push(['log', log]);
  return facts;
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, SOME).join(', ');
  return names.length > SOME ? `${shown} and ${names.length - SOME} more` : shown;
}
