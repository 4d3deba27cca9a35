import { isIPv6 } from 'node:net';
import type { JsonSchema } from '../validate/json-schema.ts';
import { hostSchema, portSchema } from './fields.ts';

/** A node in the array form. */
export interface NodeFields {
  /** A name, an address, or `unix:/path`, which has no port. */
  readonly host: string;
  readonly port?: number;
  /** Relative, no unit. 0: not used while another node has more. */
  readonly weight: number;
  /** Nodes of the highest number are used first. Default 0. */
  readonly priority?: number;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** Both forms of an upstream's `nodes`: `{ "127.0.0.1:3306": 1 }`, or an array. */
export type NodesField = Readonly<Record<string, number>> | readonly NodeFields[];

/** A node in the one form that the data plane knows. */
export interface NormalNode {
  /** A name, an address, an IPv6 one without brackets, or `unix:/path`. */
  readonly host: string;
  /** Undefined when the document has none: such a node cannot serve a connection. 0 for a unix socket. */
  readonly port: number | undefined;
  readonly weight: number;
  readonly priority: number;
}

/** Ours: a unix socket too. */
const nodeHostSchema: JsonSchema = {
  ...hostSchema,
  pattern: String.raw`${hostSchema['pattern']}|^unix:/[!-~]*$`,
};

export const nodesSchema: JsonSchema = {
  anyOf: [
    { type: 'object', patternProperties: { '.*': { type: 'integer', minimum: 0 } } },
    {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          host: nodeHostSchema,
          port: portSchema,
          weight: { type: 'integer', minimum: 0 },
          priority: { type: 'integer', default: 0 },
          metadata: { type: 'object' },
        },
        required: ['host', 'weight'],
      },
    },
  ],
};

/** The nodes in the order of the document. In the map form their priority is 0. */
export function normaliseNodes(nodes: NodesField): readonly NormalNode[] {
  if (isArrayForm(nodes)) return nodes.map(normaliseNode);
  return Object.entries(nodes).map(([address, weight]) => normaliseEntry(address, weight));
}

/** The nodes as the array form has them, for answers that always have it. */
export function arrayOfNodes(nodes: NodesField): readonly NodeFields[] {
  if (isArrayForm(nodes)) return nodes;
  return normaliseNodes(nodes).map(({ host, port, ...rest }) => ({
    host: isIPv6(host) ? `[${host}]` : host,
    ...(port === undefined || isUnixSocket(host) ? {} : { port }),
    ...rest,
  }));
}

/** What the schema cannot say about nodes. */
export function checkNodes(nodes: NodesField): string | undefined {
  return checkUnixSockets(nodes) ?? checkAddresses(nodes);
}

/** Of the address of a unix socket, without the byte that ends it. Longer ones would be cut. */
const LONGEST_PATH_BYTES = 107;

function checkUnixSockets(nodes: NodesField): string | undefined {
  const hosts = isArrayForm(nodes) ? nodes.map(({ host }) => host) : Object.keys(nodes);
  const tooLong = hosts.find(
    (host) => isUnixSocket(host) && Buffer.byteLength(host) - 'unix:'.length > LONGEST_PATH_BYTES,
  );
  if (tooLong !== undefined) {
    return `invalid configuration: the path of a unix socket has at most ${LONGEST_PATH_BYTES} bytes: ${tooLong}`;
  }
  const withPort = isArrayForm(nodes)
    ? nodes.find(({ host, port }) => isUnixSocket(host) && port !== undefined)
    : undefined;
  return withPort && `invalid configuration: a unix socket has no port: ${withPort.host}`;
}

function checkAddresses(nodes: NodesField): string | undefined {
  if (isArrayForm(nodes)) {
    return nodes.some((node) => isIPv6(node.host))
      ? "invalid configuration: IPv6 address must be enclosed with '[' and ']'"
      : undefined;
  }
  const addresses = Object.keys(nodes).filter((address) => !isUnixSocket(address));
  const ports = addresses.map((address) => splitAddress(address).port);
  const wrong = ports.find((port) => port !== undefined && (port < 1 || port > 65_535));
  return wrong === undefined ? undefined : `invalid port ${wrong}`;
}

function isArrayForm(nodes: NodesField): nodes is readonly NodeFields[] {
  return Array.isArray(nodes);
}

function normaliseEntry(address: string, weight: number): NormalNode {
  const { host, port } = splitAddress(address);
  return { host, port, weight, priority: 0 };
}

function normaliseNode({ host, port, weight, priority = 0 }: NodeFields): NormalNode {
  return { host: withoutBrackets(host), port: isUnixSocket(host) ? 0 : port, weight, priority };
}

/**
 * `host:port`, `[::1]:port`, either without a port, or `unix:/path`. A bare IPv6 address has no port: in `::1:80`, 80
 * belongs to the address. What is none of these is a host as it stands; its name will not resolve.
 */
function splitAddress(address: string): Pick<NormalNode, 'host' | 'port'> {
  if (isUnixSocket(address)) return { host: address, port: 0 };
  const parts = /^(\[[^\]]*\]|[^:]*):([0-9]+)$/.exec(address);
  const [, host, port] = parts ?? [undefined, address, undefined];
  return { host: withoutBrackets(host ?? address), port: port === undefined ? undefined : Number(port) };
}

function isUnixSocket(host: string): boolean {
  return host.startsWith('unix:/');
}

function withoutBrackets(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}
