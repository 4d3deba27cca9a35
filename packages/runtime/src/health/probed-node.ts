import type { RequestOptions } from 'node:http';
import type { NetConnectOpts } from 'node:net';
import { toTarget } from '@apisix-ts/transport';

/** What a probe connects to. */
export interface ProbedNode {
  /** As configured: a name, or an address. */
  readonly host: string;
  /** An ip literal, or `unix:/path`. */
  readonly address: string;
  readonly port: number;
  /** An ip literal of this machine to connect from; absent: the system chooses. */
  readonly source?: string;
}

/** What a socket connects to, and from where. @param port of the checks; absent: the node's own. */
export function connectTarget({ address, port, source }: ProbedNode, other: number = port): NetConnectOpts {
  return { ...toTarget(address, other), ...(source === undefined ? {} : { localAddress: source }) };
}

/** The same for an HTTP request. */
export function requestTarget(node: ProbedNode, other?: number): RequestOptions {
  const target = connectTarget(node, other);
  return 'path' in target ? { socketPath: target.path } : target;
}
