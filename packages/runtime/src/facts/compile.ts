import { isIP } from 'node:net';
import { normaliseNodes } from '@apisix-ts/config';
import { balancerKinds, unixPath } from '@apisix-ts/core';
import type {
  NodesField,
  NormalNode,
  ServiceDocument,
  StreamRouteDocument,
  UpstreamDocument,
} from '@apisix-ts/config';
import type { Endpoint } from '@apisix-ts/discovery';
import type {
  HashFacts,
  NodeFacts,
  RouteFacts,
  ServiceFacts,
  UpstreamFacts,
  UpstreamTlsFacts,
} from './facts.ts';

/** In effect when an upstream has no `timeout`: the reference's values for layer 4, in seconds. */
const DEFAULT_TIMEOUT = { connect: 60, send: 600, read: 600 } as const;

/** So that sessions that began together, after a restart, do not all end together. */
const DEFAULT_AGE_JITTER = 0.1;

/**
 * An upstream is known to workers by the place of its document: `upstreams/1`, or, embedded, the place of the route
 * or service that has it.
 */
export function upstreamKey(kind: string, id: string): string {
  return `${kind}/${id}`;
}

/** `upstream_id` beats an embedded upstream, and either makes the service's upstream irrelevant, as in the reference. */
export function compileRoute(id: string, route: StreamRouteDocument): RouteFacts {
  const names = [...(route.sni === undefined ? [] : [route.sni]), ...(route.snis ?? [])];
  const key = routeUpstreamKey(id, route);
  return {
    id,
    ...(route.name === undefined ? {} : { name: route.name }),
    priority: route.priority ?? 0,
    ...(names.length === 0 ? {} : { serverNames: names }),
    ...(route.alpn === undefined ? {} : { alpn: route.alpn }),
    ...(route.server_port === undefined ? {} : { serverPort: route.server_port }),
    ...(route.server_addr === undefined ? {} : { serverAddr: route.server_addr }),
    ...(route.remote_addr === undefined ? {} : { remoteAddr: route.remote_addr }),
    ...(key === undefined ? {} : { upstreamKey: key }),
    ...(route.service_id === undefined ? {} : { serviceId: String(route.service_id) }),
    ...(route.tls_passthrough ? { tlsPassthrough: true } : {}),
    ...ratesOf(route),
  };
}

function ratesOf({
  upload_rate: upload,
  download_rate: download,
}: StreamRouteDocument): Pick<RouteFacts, 'rates'> {
  if (upload === undefined && download === undefined) return {};
  return {
    rates: { ...(upload === undefined ? {} : { upload }), ...(download === undefined ? {} : { download }) },
  };
}

/** In a service it is the other way round: its embedded upstream beats `upstream_id`, as in the reference. */
export function compileService(id: string, service: ServiceDocument): ServiceFacts {
  const key = serviceUpstreamKey(id, service);
  return {
    ...(service.name === undefined ? {} : { name: service.name }),
    ...(key === undefined ? {} : { upstreamKey: key }),
  };
}

function serviceUpstreamKey(id: string, service: ServiceDocument): string | undefined {
  if (service.upstream !== undefined) return upstreamKey('services', id);
  return service.upstream_id === undefined
    ? undefined
    : upstreamKey('upstreams', String(service.upstream_id));
}

/** What stands for addresses: a host among the nodes, or the `service_name` of an upstream with a discovery. */
export type NameKind = 'host' | 'service';

/** The addresses that are known of names; empty when there are none. */
export interface NodeAddresses {
  readonly ofHost: (name: string) => readonly string[];
  readonly ofService: (name: string) => readonly Endpoint[];
}

/**
 * @param addresses each becomes a node of its own.
 * @param assignSlots gives the nodes their places in shared memory.
 */
export function compileUpstream(
  upstream: UpstreamDocument,
  addresses: NodeAddresses,
  assignSlots: (nodes: readonly Omit<NodeFacts, 'slot'>[]) => readonly NodeFacts[],
  tls: UpstreamTlsFacts | undefined,
): UpstreamFacts {
  const timeout = upstream.timeout ?? DEFAULT_TIMEOUT;
  return {
    type: upstream.type,
    ...(upstream.type === 'chash' ? { hash: hashOf(upstream) } : {}),
    nodes: assignSlots(findNodes(upstream, addresses)),
    connectTimeoutMs: milliseconds(timeout.connect),
    idleTimeoutMs: milliseconds(Math.max(timeout.send, timeout.read)),
    ...(upstream.retries === undefined ? {} : { retries: upstream.retries }),
    ...(upstream.retry_timeout ? { retryTimeoutMs: milliseconds(upstream.retry_timeout) } : {}),
    ...limitsOf(upstream),
    ...(upstream.checks === undefined ? {} : { reports: wantedReports(upstream.checks) }),
    ...(tls === undefined ? {} : { tls }),
  };
}

/** A finite number, as facts travel in JSON. */
function milliseconds(seconds: number): number {
  return Math.min(seconds * 1000, Number.MAX_VALUE);
}

function findNodes(
  upstream: UpstreamDocument,
  { ofHost, ofService }: NodeAddresses,
): readonly Omit<NodeFacts, 'slot'>[] {
  const { nodes, service_name: service, discovery_type: discovery } = upstream;
  if (nodes !== undefined) return usableNodes(nodes).flatMap((node) => toFacts(node, ofHost));
  return service === undefined || discovery !== 'dns' ? [] : ofService(service);
}

/** The addresses of one name share its weight. */
function toFacts(
  { host, port, weight, priority }: UsableNode,
  ofHost: NodeAddresses['ofHost'],
): readonly Omit<NodeFacts, 'slot'>[] {
  if (unixPath(host) !== undefined) return [{ host: 'localhost', address: host, port, weight, priority }];
  const addresses = isIP(host) === 0 ? ofHost(host) : [host];
  return addresses.map((address) => ({ host, address, port, weight: weight / addresses.length, priority }));
}

function limitsOf({
  node_max_connections: most,
  queue,
  max_session_age: ageSeconds,
  session_age_jitter: jitter = DEFAULT_AGE_JITTER,
  tcp_keepalive: keepAliveSeconds,
  source_address: sourceAddresses,
}: UpstreamDocument): Pick<
  UpstreamFacts,
  'nodeMaxConnections' | 'queue' | 'sessionAge' | 'keepAliveSeconds' | 'sourceAddresses'
> {
  return {
    ...(ageSeconds === undefined ? {} : { sessionAge: { mostMs: ageSeconds * 1000, jitter } }),
    ...(keepAliveSeconds === undefined ? {} : { keepAliveSeconds }),
    ...(sourceAddresses === undefined ? {} : { sourceAddresses }),
    ...(most === undefined ? {} : { nodeMaxConnections: most }),
    ...(queue === undefined ? {} : { queue: { length: queue.length, timeoutMs: queue.timeout * 1000 } }),
  };
}

function hashOf({ hash_on: on, key }: UpstreamDocument): HashFacts {
  return key === undefined ? { on } : { on, key };
}

/** As in the reference: a failed attempt counts wherever there are checks, a lost session where `passive` is configured. */
function wantedReports(checks: NonNullable<UpstreamDocument['checks']>): 'attempts' | 'sessions' {
  return checks.passive === undefined ? 'attempts' : 'sessions';
}

/**
 * What of an upstream this gateway cannot serve with, for the log; undefined when all of it works.
 * @param discoveries the values of `discovery_type` that config.yaml provides for.
 */
export function upstreamFault(
  { nodes, discovery_type: type }: UpstreamDocument,
  discoveries: ReadonlySet<string>,
): string | undefined {
  if (nodes === undefined) {
    if (type !== 'dns') return `discovery_type "${type}" is not available, only "dns" is`;
    return discoveries.has(type) ? undefined : 'discovery_type "dns" takes discovery.dns in config.yaml';
  }
  const portless = normaliseNodes(nodes).find((node) => node.port === undefined);
  return portless && `node "${portless.host}" has no port, and a stream has no default one`;
}

/** What of an upstream that serves is done in another way, for the log. */
export function upstreamShortcoming({ type }: UpstreamDocument): string | undefined {
  return balancerKinds.some((kind) => kind.name === type)
    ? undefined
    : `balancer type "${type}" is not available: its nodes take turns`;
}

/** The names that an upstream uses. @param discoveries as for `upstreamFault`. */
export function namesOf(
  { nodes, service_name: service, discovery_type: type }: UpstreamDocument,
  discoveries: ReadonlySet<string>,
): Readonly<Record<NameKind, ReadonlySet<string>>> {
  const hosts = nodes === undefined ? [] : usableNodes(nodes).map(({ host }) => host);
  const isKnown = service !== undefined && type !== undefined && discoveries.has(type);
  return {
    host: new Set(hosts.filter((host) => isIP(host) === 0 && unixPath(host) === undefined)),
    service: new Set(isKnown && nodes === undefined ? [service] : []),
  };
}

/** A stream cannot be sent to a node without a port. */
function usableNodes(nodes: NodesField): readonly UsableNode[] {
  return normaliseNodes(nodes).filter((node): node is UsableNode => node.port !== undefined);
}

type UsableNode = NormalNode & { readonly port: number };

function routeUpstreamKey(id: string, route: StreamRouteDocument): string | undefined {
  if (route.upstream_id !== undefined) return upstreamKey('upstreams', String(route.upstream_id));
  return route.upstream === undefined ? undefined : upstreamKey('stream_routes', id);
}
