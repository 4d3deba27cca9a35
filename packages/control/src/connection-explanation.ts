import type {
  ConnectionFacts,
  ConnectionListenerFacts,
  ConnectionPluginFacts,
  ConnectionQuestion,
} from './connection-facts.ts';
import type { ListenerFacts } from './gateway-facts.ts';
import { showRoute } from './route-verdict.ts';
import type { ShownRoute } from './route-verdict.ts';

/** The answer of `GET /v1/explain`. */
export interface Explanation {
  readonly connection: {
    readonly protocol: 'tcp' | 'udp';
    readonly port: number;
    readonly to: string;
    readonly from: string;
    readonly sni?: string;
    readonly alpn?: readonly string[];
  };
  /** The arguments that were not given, and stand above as they were taken. */
  readonly assumed: readonly ('to' | 'from' | 'sni')[];
  /** null: nothing listens there, and the rest is what would be if something did. */
  readonly listener: {
    readonly address: string;
    /** It takes nobody, because an operator said so; the rest is what would be if it did. */
    readonly drained: boolean;
    readonly tls: 'terminated' | 'passed on' | 'not looked at';
    /** The ssl whose certificate the client is shown. */
    readonly certificate?: string;
    readonly proxy_protocol: boolean;
    /** The version of the header that upstreams get; 0: none. */
    readonly proxy_protocol_to_upstream: 0 | 1 | 2;
    readonly max_connections?: number;
    readonly connection_rate?: number;
    readonly connection_burst?: number;
  } | null;
  /** Would the connection go on to an upstream? */
  readonly served: boolean;
  /** If not. */
  readonly code?: string;
  readonly reason?: string;
  /** The id of the one that takes it. */
  readonly route: string | null;
  /** What those of the route would say to it, in their order; behind one that refuses no other is asked. */
  readonly plugins: readonly {
    readonly plugin: string;
    /** `open`: only a real session is told. */
    readonly verdict: 'passes' | 'refuses' | 'open';
    /** Why it refuses. */
    readonly reason?: string;
  }[];
  readonly upstream: {
    readonly resource: string;
    readonly type: string;
    readonly tls: boolean;
    readonly node_max_connections?: number;
    readonly nodes: readonly {
      readonly host: string;
      readonly address: string;
      readonly port: number;
      readonly weight: number;
      readonly priority: number;
      readonly healthy: boolean;
      readonly sessions: number;
      /** It gets no new sessions, because an operator said so. */
      readonly drained: boolean;
      /** May the next session get it at its first attempt? */
      readonly in_turn: boolean;
    }[];
  } | null;
  /** Best first; at most `limit` of them. */
  readonly candidates: readonly ShownRoute[];
  /** How many routes match, and how many do not. */
  readonly matching: number;
  readonly not_matching: number;
  /** What is surprising, a sentence each. */
  readonly notes: readonly string[];
}

/** @param listeners all that are open. */
export function explanation(
  question: ConnectionQuestion,
  facts: ConnectionFacts,
  listeners: readonly ListenerFacts[],
): Explanation {
  const { connection, listener, refusal, verdicts, matching, missing, plugins, upstream } = facts;
  const { protocol, serverPort, serverAddress, remoteAddress, serverName, alpn } = connection;
  const winner = verdicts.find(({ verdict }) => verdict.kind === 'wins');
  const unheard = listener === undefined ? nothingListens(facts, listeners) : drainedListener(facts);
  const code = unheard === undefined ? refusal : undefined;
  return {
    connection: {
      protocol,
      port: serverPort,
      to: serverAddress,
      from: remoteAddress,
      ...(serverName === undefined ? {} : { sni: serverName }),
      ...(alpn === undefined ? {} : { alpn }),
    },
    assumed: assumedIn(question, facts),
    listener: listener === undefined ? null : showListener(listener, facts),
    served: unheard === undefined && refusal === undefined,
    ...(code === undefined ? {} : { code }),
    ...(unheard === undefined ? {} : { reason: unheard }),
    ...(code === undefined ? {} : { reason: reasonOf(code, facts) }),
    route: winner?.id ?? null,
    plugins: plugins.map(showPlugin),
    upstream: upstream === undefined ? null : showUpstream(upstream),
    candidates: verdicts.map((route) => showRoute(route, connection)),
    matching,
    not_matching: missing,
    notes: notesOn(question, facts),
  };
}

function reasonOf(code: string, { plugins }: ConnectionFacts): string {
  const refusing = plugins.find(({ verdict }) => verdict === 'refuses');
  if (code !== 'PLUGIN_REFUSED' || refusing === undefined) return reasons[code] ?? code;
  return `the plugin ${refusing.plugin} refuses it: ${refusing.why}`;
}

function showPlugin({ plugin, verdict, why }: ConnectionPluginFacts): Explanation['plugins'][number] {
  return { plugin, verdict, ...(why === undefined ? {} : { reason: why }) };
}

function assumedIn(
  { serverAddress, remoteAddress, serverName }: ConnectionQuestion,
  { connection }: ConnectionFacts,
): Explanation['assumed'] {
  return [
    ...(serverAddress === undefined ? (['to'] as const) : []),
    ...(remoteAddress === undefined ? (['from'] as const) : []),
    ...(serverName === undefined && connection.serverName !== undefined ? (['sni'] as const) : []),
  ];
}

function showListener(
  { name, heads, limits }: ConnectionListenerFacts,
  { tls, certificate, isListenerDrained }: ConnectionFacts,
): NonNullable<Explanation['listener']> {
  const { maxConnections, connectionRate } = limits;
  return {
    address: name,
    drained: isListenerDrained,
    tls: tls === 'passed-on' ? 'passed on' : tls === 'unread' ? 'not looked at' : tls,
    ...(certificate === undefined ? {} : { certificate }),
    proxy_protocol: heads.proxyProtocol,
    proxy_protocol_to_upstream: heads.proxyProtocolToUpstream,
    ...(maxConnections === undefined ? {} : { max_connections: maxConnections }),
    ...(connectionRate === undefined
      ? {}
      : { connection_rate: connectionRate.perSecond, connection_burst: connectionRate.burst }),
  };
}

function showUpstream({
  key,
  type,
  isTls,
  nodeMaxConnections,
  nodes,
}: NonNullable<ConnectionFacts['upstream']>): Explanation['upstream'] {
  return {
    resource: key,
    type,
    tls: isTls,
    ...(nodeMaxConnections === undefined ? {} : { node_max_connections: nodeMaxConnections }),
    nodes: nodes.map(({ isHealthy, active, isDrained, isInTurn, host, address, port, weight, priority }) => ({
      host,
      address,
      port,
      weight,
      priority,
      healthy: isHealthy,
      sessions: active,
      drained: isDrained,
      in_turn: isInTurn,
    })),
  };
}

const reasons: Readonly<Record<string, string>> = {
  ROUTE_NOT_FOUND: 'no stream route takes it',
  UPSTREAM_NOT_CONFIGURED: 'its route has no upstream, or names one that is not there',
  UPSTREAM_NO_NODE: 'its upstream has no node that such a connection can go to',
  TLS_NAME_UNKNOWN: 'no ssl has a certificate for the name',
};

/** Listeners to name. */
const SOME = 5;

function nothingListens(
  { connection: { protocol, serverPort, serverAddress } }: ConnectionFacts,
  listeners: readonly ListenerFacts[],
): string {
  const there = listeners
    .filter((each) => each.protocol === protocol)
    .map(({ host, port }) => place(host, port));
  const some = there.slice(0, SOME).join(', ');
  const more = there.length > SOME ? ` and ${there.length - SOME} more` : '';
  const others = there.length === 0 ? 'there is no such listener at all' : `the listeners are ${some}${more}`;
  return `nothing listens on ${protocol} ${place(serverAddress, serverPort)}; ${others}`;
}

function drainedListener({ isListenerDrained, connection }: ConnectionFacts): string | undefined {
  if (!isListenerDrained) return undefined;
  return connection.protocol === 'tcp'
    ? 'its listener is drained, and closed until that is undone'
    : 'its listener is drained, and drops datagrams of clients without a session until that is undone';
}

function place(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function notesOn(
  question: ConnectionQuestion,
  { connection, listener, tls, upstream, drained }: ConnectionFacts,
): readonly string[] {
  const notes: string[] = [];
  if (drained.length > 0) notes.push(`drained, and so not looked at: stream routes ${drained.join(', ')}`);
  if (listener !== undefined && tls === 'unread' && (question.serverName ?? question.alpn) !== undefined) {
    notes.push('this listener does not look at TLS (tls, tls_passthrough), so sni and alpn decide nothing');
  }
  if (question.serverName === undefined && connection.serverName !== undefined) {
    notes.push('a client that names no server is taken to mean apisix.ssl.fallback_sni');
  }
  if (listener?.heads.proxyProtocol === true) {
    notes.push(
      'a PROXY header has to come first; from is the address in it if nginx_config.stream.real_ip_from has the peer',
    );
  }
  if (
    upstream !== undefined &&
    upstream.nodes.length > 0 &&
    upstream.nodes.every(({ isHealthy }) => !isHealthy)
  ) {
    notes.push('no node is healthy, so all of them are used');
  }
  return notes;
}
