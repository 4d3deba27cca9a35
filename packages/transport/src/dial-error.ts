import { GatewayError } from '@apisix-ts/errors';
import type { ErrorCode } from '@apisix-ts/errors';
import type { DialOptions } from './driver.ts';
import { formatEndpoint } from './endpoint.ts';
import { ownShortage } from './own-shortage.ts';

/** Explains a connection attempt that the system refused or gave up. */
export function dialError({ address, port, localAddress }: DialOptions, errno: string): GatewayError {
  const from = localAddress === undefined ? '' : ` from ${localAddress}`;
  return new GatewayError(
    codeOf(errno, localAddress),
    `expected to connect to ${formatEndpoint(address, port)}${from}, the system answered ${errno}`,
    { detail: { address, port, errno, ...(localAddress === undefined ? {} : { localAddress }) } },
  );
}

/** Our own time-out passed. */
export function dialTimeout({ address, port, connectTimeoutMs }: DialOptions): GatewayError {
  return new GatewayError(
    'UPSTREAM_CONNECT_TIMEOUT',
    `expected to connect to ${formatEndpoint(address, port)} within ${connectTimeoutMs} ms, got no answer`,
    { detail: { address, port, errno: 'ETIMEDOUT' } },
  );
}

/** The address to connect from is not one of this machine, or has no port left. */
const sourceFaults: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'EADDRINUSE', 'EINVAL']);

function codeOf(errno: string, localAddress: string | undefined): ErrorCode {
  if (localAddress !== undefined && sourceFaults.has(errno)) return 'UPSTREAM_SOURCE_UNAVAILABLE';
  if (ownShortage(errno) !== undefined) return 'GATEWAY_EXHAUSTED';
  if (errno === 'ECONNREFUSED') return 'UPSTREAM_CONNECT_REFUSED';
  if (errno === 'ETIMEDOUT') return 'UPSTREAM_CONNECT_TIMEOUT';
  return 'UPSTREAM_CONNECT_FAILED';
}
