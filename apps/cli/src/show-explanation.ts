import type { Explanation, ShownRoute } from '@apisix-ts/control';
import type { CommandContext } from './command.ts';
import { createPaint } from './paint.ts';
import { showFacts } from './show-facts.ts';
import { writeTable } from './table.ts';
import type { Column } from './table.ts';

type Upstream = NonNullable<Explanation['upstream']>;
type Node = Upstream['nodes'][number];

/** The verdict first, then what leads to it. */
export function showExplanation(context: CommandContext, answer: Explanation): void {
  const { stdout } = context;
  const { plugins, upstream, candidates, matching, not_matching: missing, notes } = answer;
  const paint = createPaint(context);
  const outcome = describeOutcome(answer);
  showFacts(context, [
    ['connection', describeConnection(answer)],
    ['listener', describeListener(answer)],
    ['route', answer.route ?? 'none'],
    ...(plugins.length === 0 ? [] : [['plugins', plugins.map(describePlugin).join(', ')] as const]),
    ['upstream', upstream === null ? 'none' : describeUpstream(upstream)],
    ['outcome', answer.served ? paint.good(outcome) : paint.bad(outcome)],
    ...notes.map((note) => ['note', paint.warn(note)] as const),
  ]);
  if (upstream !== null) {
    stdout.write('\n');
    writeTable(context, nodeColumns, upstream.nodes);
  }
  if (candidates.length > 0) {
    stdout.write('\n');
    writeTable(context, routeColumns, candidates);
  }
  const hidden = matching + missing - candidates.length;
  stdout.write(
    `\n${matching} of ${matching + missing} routes match${hidden === 0 ? '' : `, ${hidden} are not shown (--limit)`}\n`,
  );
}

function describeOutcome({ served, listener, reason = '', code }: Explanation): string {
  if (served) return 'served';
  if (listener === null || listener.drained) return `refused: ${reason}`;
  return `closed at once: ${reason} (${code})`;
}

function describeConnection({ connection, assumed }: Explanation): string {
  const { protocol, port, to, from, sni, alpn } = connection;
  const parts = [
    `${protocol} from ${from} to ${to.includes(':') ? `[${to}]` : to}:${port}`,
    ...(sni === undefined ? [] : [`sni ${sni}`]),
    ...(alpn === undefined ? [] : [`alpn ${alpn.join(',')}`]),
  ];
  return `${parts.join(', ')}${assumed.length === 0 ? '' : ` (${assumed.join(' and ')} assumed)`}`;
}

function describeListener({ listener }: Explanation): string {
  if (listener === null) return 'none';
  const { drained, certificate, max_connections: most, connection_rate: rate } = listener;
  const shown = certificate === undefined ? '' : `, with the certificate of ssls/${certificate}`;
  return [
    listener.address,
    ...(drained ? ['drained'] : []),
    `TLS ${listener.tls}${shown}`,
    ...(listener.proxy_protocol ? ['a PROXY header comes first'] : []),
    ...(listener.proxy_protocol_to_upstream === 0
      ? []
      : [`upstreams get a PROXY header, version ${listener.proxy_protocol_to_upstream}`]),
    ...(most === undefined ? [] : [`at most ${most} connections`]),
    ...(rate === undefined ? [] : [`at most ${rate} new ones a second`]),
  ].join(', ');
}

function describePlugin({ plugin, verdict }: Explanation['plugins'][number]): string {
  return `${plugin} ${verdict === 'open' ? 'decides when it comes' : verdict}`;
}

function describeUpstream({ resource, type, tls, node_max_connections: most }: Upstream): string {
  return [
    resource,
    type,
    ...(tls ? ['TLS'] : []),
    ...(most === undefined ? [] : [`at most ${most} sessions a node`]),
  ].join(', ');
}

const nodeColumns: readonly Column<Node>[] = [
  { title: 'NODE', value: describeNode },
  { title: 'WEIGHT', value: ({ weight }) => weight },
  { title: 'PRIORITY', value: ({ priority }) => priority },
  { title: 'SESSIONS', value: ({ sessions }) => sessions },
  {
    title: 'HEALTH',
    value: ({ healthy, drained }) => `${healthy ? 'healthy' : 'unhealthy'}${drained ? ', drained' : ''}`,
  },
  { title: 'NEXT', value: ({ in_turn: isInTurn }) => (isInTurn ? 'yes' : 'no') },
];

function describeNode({ host, address, port }: Node): string {
  if (address.startsWith('unix:')) return address;
  const place = `${address.includes(':') ? `[${address}]` : address}:${port}`;
  return host === address ? place : `${place} (${host})`;
}

const routeColumns: readonly Column<ShownRoute>[] = [
  { title: 'ROUTE', value: ({ route }) => route },
  { title: 'PRIORITY', value: ({ priority }) => priority },
  { title: 'VERDICT', value: ({ verdict }) => verdict },
  { title: 'CONDITIONS', value: ({ conditions }) => describeConditions(conditions) },
  { title: 'WHY', value: ({ reason }) => reason },
];

function describeConditions(conditions: ShownRoute['conditions']): string {
  const parts = Object.entries(conditions).map(
    ([name, value]) => `${name} ${Array.isArray(value) ? value.join('|') : String(value)}`,
  );
  return parts.join(', ');
}
