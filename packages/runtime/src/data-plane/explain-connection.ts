import { setImmediate as nextTurn } from 'node:timers/promises';
import { RouteExplanation, cidrText, parseIp, unixPath } from '@apisix-ts/core';
import type { RouteVerdict, StreamFacts } from '@apisix-ts/core';
import type { ListenerSpec } from '../workers/worker-link.ts';
import { foreseePlugins } from './foresee-plugins.ts';
import type { PluginForesight } from './foresee-plugins.ts';
import type { CompiledRoute, RoutingTable } from './routing-table.ts';
import type { SessionReason } from './session-reason.ts';
import type { NodeState, Upstream } from './upstream.ts';

/** A connection that somebody thinks of. What is absent is taken as `ConnectionExplanation` says. */
export interface ConnectionQuestion {
  readonly protocol: 'tcp' | 'udp';
  readonly serverPort: number;
  /** An ip literal. */
  readonly serverAddress?: string;
  /** An ip literal. */
  readonly remoteAddress?: string;
  /** What the client asks for in TLS; absent: no name, or no TLS. */
  readonly serverName?: string;
  readonly alpn?: readonly string[];
  /** Most routes in the answer, at least 1. */
  readonly limit: number;
}

/** What a worker is asked: the question, and what it does not know. */
export interface ExplainQuestion extends ConnectionQuestion {
  /** Listeners that are closed because they are drained. */
  readonly shutListeners: readonly ListenerSpec[];
}

export interface ConnectionExplanation {
  /**
   * As it is routed: to the listener's address, or a loopback one where that is a wildcard; from a loopback address;
   * with the server name that stands in for none.
   */
  readonly connection: Pick<ConnectionQuestion, 'protocol' | 'serverPort' | 'serverName' | 'alpn'> & {
    readonly serverAddress: string;
    readonly remoteAddress: string;
  };
  /** Absent: nothing listens there, and the rest is what would be if something did. */
  readonly listener?: ListenerSpec;
  /** It takes nobody, because an operator said so. Besides that, the connection would be as told. */
  readonly isListenerDrained: boolean;
  /** What becomes of the client's TLS. `unread`: the listener passes bytes on, and does not look for it. */
  readonly tls: 'terminated' | 'passed-on' | 'unread';
  /** The id of the ssl whose certificate the client is shown; absent: none. */
  readonly certificate?: string;
  /** Why it would be closed at once; absent: it would not. */
  readonly refusal?: SessionReason;
  readonly verdicts: readonly ExplainedRoute[];
  /** How many routes match, and how many do not. */
  readonly matching: number;
  readonly missing: number;
  /** Ids of routes that match too, and are drained: they are not looked at. */
  readonly drained: readonly string[];
  /** Of the winner, and of its service. */
  readonly plugins: readonly PluginForesight[];
  /** Of the winner, unless a plugin chooses another one. */
  readonly upstream?: UpstreamState;
}

/** The conditions of a route, and what became of it. */
export interface ExplainedRoute {
  readonly id: string;
  readonly priority: number;
  readonly serverNames: readonly string[];
  readonly alpn: readonly string[];
  readonly serverPort?: number;
  readonly serverAddr?: string;
  readonly remoteAddr?: string;
  readonly verdict:
    | { readonly kind: 'wins' }
    | Omit<Extract<RouteVerdict<never>, { kind: 'loses' }>, 'route'>
    | Omit<Extract<RouteVerdict<never>, { kind: 'misses' }>, 'route'>;
}

export interface UpstreamState {
  /** Its place, or that of the route or service that has it: `upstreams/1`. */
  readonly key: string;
  readonly type: string;
  readonly isTls: boolean;
  /** Sessions that each node may have; absent: no limit. */
  readonly nodeMaxConnections?: number;
  readonly nodes: readonly NodeState[];
}

export interface ExplainContext {
  readonly listeners: Iterable<ListenerSpec>;
  readonly table: RoutingTable;
  /** The name of TLS clients that send none. */
  readonly fallbackServerName: string | undefined;
}

/** Goes the way of a session as far as it can without one. It looks at every route, so not for every session. */
export async function explainConnection(
  question: ExplainQuestion,
  context: ExplainContext,
): Promise<ConnectionExplanation> {
  const { table } = context;
  const open = findListener(context.listeners, question);
  const listener = open ?? findListener(question.shutListeners, question);
  const { facts, tls } = readHead(question, listener, context);
  const { verdicts, matching, missing } = await explainRoutes(table, facts, question.limit);
  // What really serves, whatever was changed while the routes were gone through.
  const route = table.match(facts);
  const upstream = route && table.upstreamOf(route);
  const certificate = tls === 'terminated' ? table.certificates.find(facts.serverName ?? '')?.id : undefined;
  const plugins = route === undefined ? [] : foreseePlugins(table.pluginsOf(route), facts);
  const refusal =
    tls === 'terminated' && certificate === undefined
      ? 'TLS_NAME_UNKNOWN'
      : plugins.some(({ verdict }) => verdict === 'refuses')
        ? 'PLUGIN_REFUSED'
        : refusalOf(question.protocol, route, upstream);
  const { serverName, alpn, serverPort, serverAddress, remoteAddress } = facts;
  return {
    connection: {
      protocol: question.protocol,
      serverPort,
      serverAddress,
      remoteAddress,
      ...(serverName === undefined ? {} : { serverName }),
      ...(alpn === undefined ? {} : { alpn }),
    },
    ...(listener === undefined ? {} : { listener }),
    isListenerDrained: listener !== open || (open !== undefined && table.drains.hasListener(open)),
    tls,
    ...(certificate === undefined ? {} : { certificate }),
    ...(refusal === undefined ? {} : { refusal }),
    verdicts: verdicts.map(showVerdict),
    matching,
    missing,
    drained: drainedMatches(table, facts, question.limit),
    plugins,
    ...(upstream === undefined ? {} : { upstream: showUpstream(upstream) }),
  };
}

/** The system prefers a listener on the address itself to one on all of them. */
function findListener(
  listeners: Iterable<ListenerSpec>,
  { protocol, serverPort, serverAddress }: ConnectionQuestion,
): ListenerSpec | undefined {
  const there = [...listeners].filter((spec) => spec.protocol === protocol && spec.port === serverPort);
  if (serverAddress === undefined) return there[0];
  const wildcard = familyOf(serverAddress) === 4 ? '0.0.0.0' : '::';
  return (
    there.find(({ host }) => isSameAddress(host, serverAddress)) ??
    there.find(({ host }) => host === wildcard)
  );
}

/** What of the client is known when it is routed. */
function readHead(
  question: ConnectionQuestion,
  listener: ListenerSpec | undefined,
  { table, fallbackServerName }: ExplainContext,
): { readonly facts: StreamFacts; readonly tls: ConnectionExplanation['tls'] } {
  const { serverPort, serverName, alpn } = question;
  const serverAddress = question.serverAddress ?? ownAddress(listener);
  const remoteAddress = question.remoteAddress ?? loopback[familyOf(serverAddress)];
  const addresses = { serverPort, serverAddress, remoteAddress };
  const hello: StreamFacts = { ...addresses, serverName, alpn };
  // Where nothing listens, what was asked for counts.
  if (listener === undefined) return { facts: hello, tls: 'unread' };
  const { tls, heads } = listener;
  if (tls === undefined && !heads.tlsPassthrough) {
    return { facts: { ...addresses, serverName: undefined }, tls: 'unread' };
  }
  const isPassedOn =
    heads.tlsPassthrough && (tls === undefined || table.match(hello)?.tlsPassthrough === true);
  if (isPassedOn) return { facts: hello, tls: 'passed-on' };
  return { facts: { ...hello, serverName: serverName ?? fallbackServerName }, tls: 'terminated' };
}

/** Routes to go through until the sessions of this worker get their turn. */
const ROUTES_A_TURN = 500;

async function explainRoutes(
  table: RoutingTable,
  facts: StreamFacts,
  limit: number,
): Promise<ReturnType<RouteExplanation<CompiledRoute>['finish']>> {
  const explanation = new RouteExplanation<CompiledRoute>(facts, limit);
  let seen = 0;
  for (const route of table.routes()) {
    explanation.add(route);
    seen += 1;
    if (seen % ROUTES_A_TURN === 0) await nextTurn();
  }
  return explanation.finish();
}

function drainedMatches(table: RoutingTable, facts: StreamFacts, limit: number): readonly string[] {
  const explanation = new RouteExplanation<CompiledRoute>(facts, limit);
  // An operator named each of them.
  for (const route of table.drainedRoutes) explanation.add(route);
  return explanation
    .finish()
    .verdicts.filter(({ kind }) => kind !== 'misses')
    .map(({ route }) => route.id);
}

function refusalOf(
  protocol: ConnectionQuestion['protocol'],
  route: CompiledRoute | undefined,
  upstream: Upstream | undefined,
): SessionReason | undefined {
  if (route === undefined) return 'ROUTE_NOT_FOUND';
  if (upstream === undefined) return 'UPSTREAM_NOT_CONFIGURED';
  const { tls } = upstream.facts;
  const nodes = upstream.nodeStates().filter(({ isDrained }) => !isDrained);
  // Datagrams have neither TLS nor unix sockets here.
  const usable = protocol === 'tcp' ? nodes : nodes.filter(({ address }) => unixPath(address) === undefined);
  return usable.length === 0 || (protocol === 'udp' && tls !== undefined) ? 'UPSTREAM_NO_NODE' : undefined;
}

function showVerdict({ route, ...verdict }: RouteVerdict<CompiledRoute>): ExplainedRoute {
  const { id, priority, serverNames, alpn, serverPort, serverAddr, remoteAddr } = route;
  return {
    id,
    priority,
    serverNames,
    alpn,
    ...(serverPort === undefined ? {} : { serverPort }),
    ...(serverAddr === undefined ? {} : { serverAddr: cidrText(serverAddr) }),
    ...(remoteAddr === undefined ? {} : { remoteAddr: cidrText(remoteAddr) }),
    verdict,
  };
}

function showUpstream(upstream: Upstream): UpstreamState {
  const { type, tls, nodeMaxConnections } = upstream.facts;
  return {
    key: upstream.key,
    type,
    isTls: tls !== undefined,
    ...(nodeMaxConnections === undefined ? {} : { nodeMaxConnections }),
    nodes: upstream.nodeStates(),
  };
}

const loopback = { 4: '127.0.0.1', 6: '::1' } as const;

function ownAddress(listener: ListenerSpec | undefined): string {
  const { host } = listener ?? { host: '0.0.0.0' };
  return host === '0.0.0.0' || host === '::' ? loopback[familyOf(host)] : host;
}

/** An IPv4-mapped IPv6 address is IPv4. */
function familyOf(address: string): 4 | 6 {
  return parseIp(address)?.family ?? 4;
}

function isSameAddress(left: string, right: string): boolean {
  const [one, other] = [parseIp(left), parseIp(right)];
  return one !== undefined && one.family === other?.family && one.bits === other.bits;
}
