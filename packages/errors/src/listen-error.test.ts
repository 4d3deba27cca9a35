import { expect, test } from 'vitest';
import { isGatewayError } from './gateway-error.ts';
import { listenError } from './listen-error.ts';

function systemError(code: string): Error {
  return Object.assign(new Error(`listen ${code}`), { code });
}

test.for([
  [
    'EADDRINUSE',
    'LISTENER_PORT_IN_USE',
    'the port is in use; stop the program that has it, or choose another port',
  ],
  ['EACCES', 'LISTENER_DENIED', 'permission was denied; ports below 1024 need root or CAP_NET_BIND_SERVICE'],
  ['EADDRNOTAVAIL', 'LISTENER_FAILED', 'this machine does not have that address'],
  ['EMFILE', 'LISTENER_FAILED', 'EMFILE'],
] as const)('%s is told as %s', ([errno, code, sentence]) => {
  const cause = systemError(errno);

  const error = listenError('the Admin API', '127.0.0.1', 9180, cause);

  expect(error).toMatchObject({
    code,
    message: `the Admin API cannot listen on 127.0.0.1:9180: ${sentence}`,
    cause,
    detail: { host: '127.0.0.1', port: 9180, errno },
  });
});

test('an IPv6 address is shown in brackets', () => {
  expect(listenError('it', '::1', 80, systemError('EADDRINUSE')).message).toContain('[::1]:80');
});

test('a GatewayError is told from others, and by its code', () => {
  const error: unknown = listenError('it', '::1', 80, systemError('EADDRINUSE'));

  expect(isGatewayError(error)).toBe(true);
  expect(isGatewayError(error, 'LISTENER_PORT_IN_USE')).toBe(true);
  expect(isGatewayError(error, 'LISTENER_FAILED')).toBe(false);
  expect(isGatewayError(new Error('other'))).toBe(false);
  expect(isGatewayError(error) && error.facts).toEqual({ side: 'operator', retryable: true, status: 500 });
});
