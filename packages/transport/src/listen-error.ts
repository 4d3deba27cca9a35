import { GatewayError } from '@apisix-ts/errors';
import type { ListenOptions } from './driver.ts';

/** Explains why a listener could not be opened. */
export function listenError(
  { host, port }: Pick<ListenOptions, 'host' | 'port'>,
  errno: string,
  cause?: unknown,
): GatewayError {
  const place = formatEndpoint(host, port);
  const options = { detail: { host, port, errno }, ...(cause === undefined ? {} : { cause }) };
  if (errno === 'EADDRINUSE') {
    return new GatewayError(
      'LISTENER_PORT_IN_USE',
      `cannot listen on ${place}: the port is in use; stop the program that listens there or choose another port`,
      options,
    );
  }
  if (errno === 'EACCES' || errno === 'EPERM') {
    return new GatewayError(
      'LISTENER_DENIED',
      `cannot listen on ${place}: the system does not allow it; choose a port from 1024 up, or grant CAP_NET_BIND_SERVICE`,
      options,
    );
  }
  if (errno === 'EADDRNOTAVAIL') {
    return new GatewayError(
      'LISTENER_FAILED',
      `cannot listen on ${place}: no interface of this machine has that address; choose one that has, or 0.0.0.0`,
      options,
    );
  }
  return new GatewayError(
    'LISTENER_FAILED',
    `cannot listen on ${place}: the system answered ${errno}; check the address, the port and the open-file limit`,
    options,
  );
}

/** A client could not be accepted. */
export function acceptError(host: string, port: number, errno: string): GatewayError {
  return new GatewayError(
    'LISTENER_FAILED',
    `accepting a connection on ${formatEndpoint(host, port)} failed with ${errno}; check the open-file limit`,
    { detail: { host, port, errno } },
  );
}

/** `192.0.2.1:80`, `[2001:db8::1]:80`. */
export function formatEndpoint(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
