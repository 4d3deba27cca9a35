import { GatewayError } from './gateway-error.ts';

interface Meaning {
  readonly code: 'LISTENER_PORT_IN_USE' | 'LISTENER_DENIED' | 'LISTENER_FAILED';
  readonly sentence: string;
}

const MEANINGS: Readonly<Record<string, Meaning>> = {
  EADDRINUSE: {
    code: 'LISTENER_PORT_IN_USE',
    sentence: 'the port is in use; stop the program that has it, or choose another port',
  },
  EACCES: {
    code: 'LISTENER_DENIED',
    sentence: 'permission was denied; ports below 1024 need root or CAP_NET_BIND_SERVICE',
  },
  EPERM: { code: 'LISTENER_DENIED', sentence: 'permission was denied by the system' },
  EADDRNOTAVAIL: { code: 'LISTENER_FAILED', sentence: 'this machine does not have that address' },
  EAFNOSUPPORT: { code: 'LISTENER_FAILED', sentence: 'this machine has no IPv6' },
  EAI_AGAIN: { code: 'LISTENER_FAILED', sentence: 'that host name could not be looked up' },
  ENOTFOUND: { code: 'LISTENER_FAILED', sentence: 'that host name has no address' },
};

/**
 * Explains why a socket could not be opened for listening.
 * @param what wants to listen, as a subject: `the Admin API`, `the stream proxy`.
 * @param cause the system's error, recognised by its `code`, or only that code.
 */
export function listenError(what: string, host: string, port: number, cause: unknown): GatewayError {
  const errno = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  const meaning = MEANINGS[errno] ?? { code: 'LISTENER_FAILED', sentence: errno };
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return new GatewayError(meaning.code, `${what} cannot listen on ${address}: ${meaning.sentence}`, {
    cause,
    detail: { host, port, errno },
  });
}
