import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { makeCertificate } from '@apisix-ts/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openTestGate } from '../testing/tls-gate.ts';

const [ec, rsa] = await Promise.all([
  makeCertificate({ names: ['a.test'] }),
  makeCertificate({ names: ['a.test'], algorithm: 'rsa' }),
]);
const specs = { 1: { serverNames: ['a.test'], pairs: [ec, rsa] } };

describe('the client of OpenSSL', () => {
  test.for(['-tls1_2', '-tls1_3'])('gets what was written, and close_notify, with %s', async (version) => {
    const gate = await openTestGate(specs);
    const client = startClient(gate.port, ['-servername', 'a.test', '-quiet', version]);
    const { wire } = await gate.next();

    wire?.write(Buffer.from('220 ready\r\n'));
    await new Promise(setImmediate);
    wire?.close();

    const { output, errors, status } = await client.finished;
    expect(output).toBe('220 ready\r\n');
    expect(errors).not.toMatch(/unexpected eof|reset/);
    expect(status).toBe(0);
  });

  test('is told that a name is unknown', async () => {
    const gate = await openTestGate(specs);

    const { errors, status } = await startClient(gate.port, ['-servername', 'b.test']).finished;

    expect(errors).toMatch(/unrecognized name.*SSL alert number 112/);
    expect(status).toBe(1);
  });

  test('that sends no name is refused', async () => {
    const gate = await openTestGate(specs);

    const { errors } = await startClient(gate.port, ['-noservername']).finished;

    expect(errors).toContain('SSL alert number 112');
    expect((await gate.next()).error?.code).toBe('TLS_NAME_UNKNOWN');
  });

  test.for<readonly [string, string]>([
    ['RSA-PSS+SHA256', 'RSA-PSS'],
    ['ECDSA+SHA256', 'ECDSA'],
  ])('that signs with %s only gets the certificate for it', async ([signatures, type]) => {
    const gate = await openTestGate(specs);
    const client = startClient(gate.port, ['-servername', 'a.test', '-tls1_3', '-sigalgs', signatures]);
    const { wire } = await gate.next();
    await new Promise(setImmediate);
    wire?.close();

    expect((await client.finished).output).toContain(`Peer signature type: ${type}`);
  });
});

interface Finished {
  readonly output: string;
  readonly errors: string;
  readonly status: number;
}

function startClient(port: number, args: readonly string[]): { readonly finished: Promise<Finished> } {
  const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...args]);
  onTestFinished(() => void child.kill());
  const finished = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]).then(
    ([output, errors, [status]]) => ({ output, errors, status: Number(status) }),
  );
  return { finished };
}
