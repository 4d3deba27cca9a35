import { GatewayError } from '@apisix-ts/errors';
import { formatEndpoint } from './endpoint.ts';

/** A client could not be accepted. */
export function acceptError(host: string, port: number, errno: string): GatewayError {
  return new GatewayError(
    'LISTENER_FAILED',
    `accepting a connection on ${formatEndpoint(host, port)} failed with ${errno}; check the open-file limit`,
    { detail: { host, port, errno } },
  );
}
