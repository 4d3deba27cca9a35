import { BlockList, isIPv6 } from 'node:net';
import { formatEndpoint } from '@apisix-ts/transport';
import type { NodeIdentity } from '../workers/worker-link.ts';
import type { OpenSession, SessionState } from './open-session.ts';

/** Which sessions are meant: those that everything fits which is set. */
export interface SessionFilter {
  /** `0-17`: the worker's index and the session's number there. */
  readonly id?: string;
  /** A listener's name, `0.0.0.0:9100`, or only its port. */
  readonly listener?: string;
  readonly route?: string;
  readonly service?: string;
  /** An upstream's id, or the place of what has one of its own: `stream_routes/mysql`. */
  readonly upstream?: string;
  /** `10.0.0.5:3306`, `db.internal:3306`, or either without its port. */
  readonly node?: string;
  /** An address or CIDR block. */
  readonly client?: string;
  readonly protocol?: 'tcp' | 'udp';
  /** The name asked for in TLS; case does not matter. */
  readonly sni?: string;
  readonly state?: SessionState;
  /** Older than this. Milliseconds. */
  readonly olderThanMs?: number;
}

/** Of the worker whose sessions they are. */
export interface FilterContext {
  readonly worker: number;
  readonly nowMs: () => number;
}

type Condition = (session: OpenSession) => boolean;

/** What costs least to look at comes first: a client's address has to be asked of the system. */
export function compileFilter(filter: SessionFilter, { worker, nowMs }: FilterContext): Condition {
  const { id, listener, route, service, upstream, node, client, protocol, sni, state, olderThanMs } = filter;
  const conditions: Condition[] = [];
  const add = <T>(value: T | undefined, toCondition: (value: T) => Condition): void => {
    if (value !== undefined) conditions.push(toCondition(value));
  };
  add(id, (wanted) => (session) => sessionId(worker, session) === wanted);
  add(protocol, (wanted) => (session) => session.transport === wanted);
  add(route, (wanted) => (session) => session.route?.id === wanted);
  add(service, (wanted) => (session) => session.route?.serviceId === wanted);
  add(
    upstream,
    (wanted) => (session) => session.upstream !== undefined && isUpstream(wanted, session.upstream.key),
  );
  add(node, (wanted) => (session) => session.node !== undefined && isNode(wanted, session.node));
  add(
    listener,
    (wanted) => (session) => isListener(wanted, { name: session.listenerName, port: session.serverPort }),
  );
  add(state, (wanted) => (session) => session.state === wanted);
  add(olderThanMs, (wanted) => (session) => nowMs() - session.startedMs > wanted);
  add(sni?.toLowerCase(), (wanted) => (session) => session.serverName?.toLowerCase() === wanted);
  add(client, isFromAny);
  return (session) => conditions.every((fits) => fits(session));
}

export function sessionId(worker: number, { number }: Pick<OpenSession, 'number'>): string {
  return `${worker}-${number}`;
}

/** @param key the place of its document. */
export function isUpstream(wanted: string, key: string): boolean {
  return key === wanted || key === `upstreams/${wanted}`;
}

export function isNode(wanted: string, { host, address, port }: NodeIdentity): boolean {
  return (
    wanted === address ||
    wanted === host ||
    wanted === formatEndpoint(address, port) ||
    wanted === formatEndpoint(host, port)
  );
}

export function isListener(
  wanted: string,
  { name, port }: { readonly name: string; readonly port: number },
): boolean {
  return wanted === name || wanted === String(port);
}

/** @param client an address or CIDR block that parses. */
function isFromAny(client: string): Condition {
  const clients = new BlockList();
  const [address = '', length] = client.split('/');
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  if (length === undefined) clients.addAddress(address, family);
  else clients.addSubnet(address, Number(length), family);
  return ({ remoteAddress }) => clients.check(remoteAddress, isIPv6(remoteAddress) ? 'ipv6' : 'ipv4');
}
