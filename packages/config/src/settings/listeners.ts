import { readConnectionFields } from './connection-fields.ts';
import type { ConnectionFields } from './connection-fields.ts';
import { isMap, showPath } from '../source/key-path.ts';
import type { KeyPath } from '../source/key-path.ts';
import { readListenAddress } from './listen-address.ts';
import { readListenerTls } from './listener-tls.ts';
import type { ListenerTls } from './listener-tls.ts';
import type { Problem } from '../source/problem.ts';
import type { ApisixSettings, Settings, StreamProxyEntry } from './settings.ts';

/** One address that the stream proxy listens on. */
export interface StreamListenerSettings extends ConnectionFields {
  readonly protocol: 'tcp' | 'udp';
  /** An address or a name; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** This and what follows is never on for UDP. */
  /** Terminate TLS; undefined: do not. */
  readonly tls: ListenerTls | undefined;
  /** Read the server name of the ClientHello and pass TLS on as it is. */
  readonly tlsPassthrough: boolean;
  /** A PROXY header has to come first. */
  readonly proxyProtocol: boolean;
  /** The version of the PROXY header that is sent to upstreams; 0 is none. */
  readonly proxyProtocolToUpstream: 0 | 1 | 2;
}

/** One address that the HTTP proxy listens on. */
export interface HttpListenerSettings {
  /** An address or a name; IPv6 without brackets. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

/**
 * What `apisix.stream_proxy` asks for, ranges expanded, each address once; empty unless stream mode is on, and for a
 * control plane.
 */
export function streamListeners({ apisix, deployment }: Settings): readonly StreamListenerSettings[] {
  return deployment.role === 'control_plane' ? [] : readStreamListeners(apisix).listeners;
}

/** What a stream listener is called everywhere: `0.0.0.0:9100`, `[::1]:9100`, `0.0.0.0:53/udp`. */
export function listenerName({
  protocol,
  host,
  port,
}: Pick<StreamListenerSettings, 'protocol' | 'host' | 'port'>): string {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return protocol === 'udp' ? `${address}/udp` : address;
}

/** What `apisix.node_listen` asks for, each address once; empty in `proxy_mode: stream`, and for a control plane. */
export function httpListeners({ apisix, deployment }: Settings): readonly HttpListenerSettings[] {
  const isServed = apisix.proxy_mode !== 'stream' && deployment.role !== 'control_plane';
  return isServed ? readHttpListeners(apisix).listeners : [];
}

export function readStreamListeners(apisix: ApisixSettings): {
  readonly listeners: readonly StreamListenerSettings[];
  readonly problems: readonly Problem[];
} {
  if (apisix.proxy_mode === 'http') return { listeners: [], problems: [] };
  const { tcp = [], udp = [] } = apisix.stream_proxy ?? {};
  const problems: Problem[] = [];
  const listeners = [
    ...readEntries('tcp', tcp, apisix, problems),
    // No PROXY header goes before a datagram.
    ...readEntries('udp', udp, { ssl: apisix.ssl }, problems),
  ];
  return { listeners, problems };
}

/** TCP and UDP have ports of their own, so an address counts once for each. */
function readEntries(
  protocol: StreamListenerSettings['protocol'],
  entries: readonly (number | string | StreamProxyEntry)[],
  { proxy_protocol: defaults = {}, ssl }: Pick<ApisixSettings, 'proxy_protocol' | 'ssl'>,
  problems: Problem[],
): Iterable<StreamListenerSettings> {
  const byAddress = new Map<string, StreamListenerSettings>();
  for (const [index, entry] of entries.entries()) {
    const { addr, ...flags } = toEntry(entry);
    const path = ['apisix', 'stream_proxy', protocol, index];
    const terminated = flags.tls ? readListenerTls(flags, ssl, path) : undefined;
    for (const problem of terminated?.problems ?? []) addOnce(problems, problem);
    const range = readListenAddress(addr);
    const read = readConnectionFields(flags);
    const invalid = (text: string): string => `invalid stream_proxy.${protocol} entry: ${text}`;
    if ('fault' in read) {
      const { field, text, expected } = read.fault;
      problems.push(formatProblem(invalid(text), [...path, field], expected));
    } else if (typeof range === 'string') {
      problems.push(formatProblem(invalid(range), typeof entry === 'object' ? [...path, 'addr'] : path));
    } else if ('host' in range) {
      for (let port = range.first; port <= range.last; port += 1) {
        addFirst(byAddress, {
          protocol,
          host: range.host,
          port,
          tls: terminated?.tls,
          tlsPassthrough: flags.tls_passthrough ?? false,
          proxyProtocol: flags.proxy_protocol ?? defaults.enable_tcp_pp ?? false,
          proxyProtocolToUpstream: headerVersion(
            flags.proxy_protocol_to_upstream ?? defaults.enable_tcp_pp_to_upstream ?? false,
          ),
          ...read,
        });
      }
    }
  }
  return byAddress.values();
}

/** What `apisix.ssl` says may be the fault of several entries. */
function addOnce(problems: Problem[], problem: Problem): void {
  const place = showPath(problem.path);
  if (!problems.some(({ path }) => showPath(path) === place)) problems.push(problem);
}

function toEntry(entry: number | string | StreamProxyEntry): StreamProxyEntry {
  return typeof entry === 'object' ? entry : { addr: entry };
}

function headerVersion(wanted: boolean | 'v1' | 'v2'): 0 | 1 | 2 {
  if (wanted === false) return 0;
  return wanted === 'v2' ? 2 : 1;
}

export interface HttpListeners {
  readonly listeners: readonly HttpListenerSettings[];
  /** Where each listened port is written. */
  readonly ports: readonly { readonly port: number; readonly path: KeyPath }[];
  readonly problems: readonly Problem[];
  /** Items that are neither a port nor a map; the reference passes over them without a word. */
  readonly ignored: readonly KeyPath[];
}

export function readHttpListeners(apisix: ApisixSettings): HttpListeners {
  const { node_listen: listen } = apisix;
  if (typeof listen !== 'number')
    return readList(listen, 'http', ['apisix', 'node_listen'], apisix.enable_ipv6);
  const { ports, ...rest } = readList([listen], 'http', ['apisix', 'node_listen'], apisix.enable_ipv6);
  return { ...rest, ports: ports.map(({ port }) => ({ port, path: ['apisix', 'node_listen'] })) };
}

/** `apisix.ssl.listen`, which is checked although nothing serves HTTPS yet. */
export function readHttpsListeners(apisix: ApisixSettings): HttpListeners {
  return readList(apisix.ssl.listen, 'https', ['apisix', 'ssl', 'listen'], apisix.enable_ipv6);
}

const defaultPort = { http: 9080, https: 9443 };

function readList(
  items: readonly unknown[],
  scheme: 'http' | 'https',
  base: KeyPath,
  enableIpv6: boolean,
): HttpListeners {
  const byAddress = new Map<string, HttpListenerSettings>();
  const ports: { port: number; path: KeyPath }[] = [];
  const problems: Problem[] = [];
  const ignored: KeyPath[] = [];

  for (const [index, item] of items.entries()) {
    const path = [...base, index];
    const portPath = isMap(item) ? [...path, 'port'] : path;
    if (typeof item !== 'number' && !isMap(item)) {
      ignored.push(path);
      continue;
    }
    const { ip, port = defaultPort[scheme], ...flags } = typeof item === 'number' ? { port: item } : item;
    if (ip !== undefined && typeof ip !== 'string') {
      problems.push(
        formatProblem(`${scheme} listen ip format error, must be string`, [...path, 'ip'], 'an ip address'),
      );
    } else if (!isPort(port)) {
      problems.push(
        formatProblem(`${scheme} listen port format error, must be number`, portPath, 'a port (0-65535)'),
      );
    } else if ('enable_http2' in flags) {
      const where = scheme === 'http' ? 'node_listen' : 'ssl.listen';
      // The missing blank is the reference's.
      const text = `ERROR: port level enable_http2 in ${where} is deprecatedfrom 3.9 version, and you should use enable_http2 in apisix level.`;
      problems.push(formatProblem(text, [...path, 'enable_http2']));
    } else {
      ports.push({ port, path: portPath });
      const hosts =
        ip === undefined ? ['0.0.0.0', ...(enableIpv6 ? ['::'] : [])] : [ip.replace(/^\[(.*)\]$/, '$1')];
      for (const host of hosts) addFirst(byAddress, { host, port });
    }
  }
  return { listeners: [...byAddress.values()], ports, problems, ignored };
}

function isPort(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 65_535;
}

function formatProblem(text: string, path: KeyPath, expected?: string): Problem {
  return { code: 'SETTINGS_INVALID', text, path, ...(expected === undefined ? {} : { expected }) };
}

/** Of equal addresses the first wins. */
function addFirst<T extends HttpListenerSettings>(byAddress: Map<string, T>, listener: T): void {
  const address = `${listener.host} ${listener.port}`;
  if (!byAddress.has(address)) byAddress.set(address, listener);
}
