import { makeCertificate, someBytes } from '@apisix-ts/testkit';
import { describe, expect, test } from 'vitest';
import { handshake } from '../testing/tls-client.ts';
import { openTestGate } from '../testing/tls-gate.ts';

const [a, b] = await Promise.all([
  makeCertificate({ names: ['a.test'] }),
  makeCertificate({ names: ['b.test'] }),
]);
const specs = {
  1: { serverNames: ['a.test'], pairs: [a] },
  2: { serverNames: ['b.test'], pairs: [b] },
};
const [first, second, third] = [someBytes(48, 1), someBytes(48, 2), someBytes(48, 3)];

describe.for(['TLSv1.2', 'TLSv1.3'] as const)('session tickets in %s', (maxVersion) => {
  test('are good at another thread with the same keys', async () => {
    const one = await openTestGate(specs, { ticketKeys: [first] });
    const other = await openTestGate(specs, { ticketKeys: [first] });

    const session = await firstSession(one.port, maxVersion);

    expect(await isResumed(other.port, maxVersion, session)).toBe(true);
    expect((await other.next()).wire?.facts.isResumed).toBe(true);
  });

  test('are good for no thread with other keys, and cost a whole handshake', async () => {
    const one = await openTestGate(specs);
    const other = await openTestGate(specs);

    const session = await firstSession(one.port, maxVersion);

    expect(await isResumed(other.port, maxVersion, session)).toBe(false);
    expect((await other.next()).wire?.facts.isResumed).toBe(false);
  });

  test('outlive one rotation of the keys, and not two', async () => {
    const gate = await openTestGate(specs, { ticketKeys: [first] });
    const session = await firstSession(gate.port, maxVersion);

    gate.acceptor.setTicketKeys([second, first]);
    expect(await isResumed(gate.port, maxVersion, session)).toBe(true);
    gate.acceptor.setTicketKeys([third, second]);
    expect(await isResumed(gate.port, maxVersion, session)).toBe(false);
  });

  test('are made with the newest key', async () => {
    const gate = await openTestGate(specs, { ticketKeys: [first] });
    gate.acceptor.setTicketKeys([second, first]);
    const session = await firstSession(gate.port, maxVersion);

    gate.acceptor.setTicketKeys([third, second]);

    expect(await isResumed(gate.port, maxVersion, session)).toBe(true);
  });

  test('are good for the certificate they were made under only', async () => {
    const gate = await openTestGate(specs, { ticketKeys: [first] });
    const session = await firstSession(gate.port, maxVersion);

    expect(await isResumed(gate.port, maxVersion, session, 'b.test')).toBe(false);
  });
});

test('keys of another length are a mistake', async () => {
  const gate = await openTestGate(specs);

  expect(() => gate.acceptor.setTicketKeys([someBytes(32)])).toThrow(TypeError);
  expect(() => gate.acceptor.setTicketKeys([])).toThrow(TypeError);
});

async function firstSession(port: number, maxVersion: 'TLSv1.2' | 'TLSv1.3'): Promise<Buffer> {
  const client = await handshake(port, { servername: 'a.test', maxVersion });
  const session = client.getSession();
  if (maxVersion === 'TLSv1.2' && session !== undefined) return session;
  return new Promise((resolve) => client.once('session', resolve));
}

async function isResumed(
  port: number,
  maxVersion: 'TLSv1.2' | 'TLSv1.3',
  session: Buffer,
  servername = 'a.test',
): Promise<boolean> {
  const client = await handshake(port, { servername, maxVersion, session });
  return client.isSessionReused();
}
