import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { DatagramPort, LinkFailure } from '@apisix-ts/core';
import type { GatewayError } from '@apisix-ts/errors';
import {
  DatagramPeer,
  FakeClock,
  countDescriptors,
  eventually,
  freePort,
  openDatagramEcho,
  someBytes,
} from '@apisix-ts/testkit';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { probeDatagramPort } from '../probe-port.ts';
import { openDatagramLink } from './datagram-link.ts';
import { listenForDatagrams } from './datagram-listener.ts';
import type { AddressOptions, DatagramListenOptions } from './datagram-listener.ts';

interface Arrival {
  readonly text: string;
  readonly address: string;
  /** Which address of ours the port says it is. */
  readonly local: string;
  readonly port: DatagramPort;
}

/** Listens, answers every datagram with what came, and remembers it. */
function open(options: Omit<DatagramListenOptions, 'port'> & { readonly port?: number }) {
  const arrivals: Arrival[] = [];
  const closed: (string | undefined)[] = [];
  const errors: GatewayError[] = [];
  const listener = listenForDatagrams(
    { port: 0, ...options },
    {
      onPort(port) {
        port.handler = {
          onDatagram(view, address, clientPort) {
            const text = Buffer.from(view).toString();
            arrivals.push({ text, address, local: port.localAddressFor(address), port });
            port.send(view, address, clientPort);
          },
          onClosed: (errno) => void closed.push(errno),
        };
      },
      onReceiveError: (error) => void errors.push(error),
    },
  );
  onTestFinished(() => listener.close());
  return { listener, arrivals, closed, errors };
}

async function openClient(host = '127.0.0.1'): Promise<DatagramPeer> {
  const client = await DatagramPeer.open({ host });
  onTestFinished(() => client.close());
  return client;
}

function addresses(find: () => readonly string[], more: Partial<AddressOptions> = {}): AddressOptions {
  return { clock: new FakeClock(), takesRest: true, isTaken: () => false, find, ...more };
}

describe('a listener', () => {
  test.for(['127.0.0.1', '::1'])('on %s takes datagrams and answers', async (host) => {
    const { listener, arrivals } = open({ host });
    const client = await openClient(host);

    const answer = await client.ask('hello', listener.port, host);

    expect(answer).toEqual({ bytes: Buffer.from('hello'), address: host, port: listener.port });
    expect(arrivals).toMatchObject([{ text: 'hello', address: host, local: host }]);
  });

  test.for([0, 1, 1472, 65_507])('takes and sends %i bytes as one datagram', async (size) => {
    const { listener } = open({ host: '127.0.0.1' });
    const client = await openClient();
    const bytes = someBytes(size);

    expect((await client.ask(bytes, listener.port)).bytes.equals(bytes)).toBe(true);
  });

  test('shares a port with others that do, and a client stays with one of them', async () => {
    const first = open({ host: '127.0.0.1', reusePort: true });
    const second = open({ host: '127.0.0.1', port: first.listener.port, reusePort: true });
    const clients = await Promise.all(Array.from({ length: 64 }, () => openClient()));

    for (const client of clients) for (const text of ['a', 'b']) await client.ask(text, first.listener.port);

    for (const { arrivals } of [first, second]) {
      expect(arrivals.length).toBeGreaterThan(0);
      expect(arrivals.filter(({ text }) => text === 'a')).toHaveLength(arrivals.length / 2);
    }
    expect(first.arrivals.length + second.arrivals.length).toBe(128);
  });

  test('does not share it otherwise, and leaves nothing open', () => {
    const { listener } = open({ host: '127.0.0.1' });
    const before = countDescriptors();

    for (const host of ['127.0.0.1', '0.0.0.0']) {
      expect(() => open({ host, port: listener.port })).toThrow(
        expect.objectContaining({ code: 'LISTENER_PORT_IN_USE' }),
      );
    }
    expect(countDescriptors()).toBe(before);
  });

  test('needs an address of this machine', () => {
    expect(() => open({ host: '192.0.2.1', port: 53 })).toThrow(
      expect.objectContaining({ code: 'LISTENER_FAILED' }),
    );
  });

  test('tells its ports that it was closed, once', () => {
    const { listener, closed } = open({ host: '127.0.0.1' });

    listener.close();
    listener.close();

    expect(closed).toEqual([undefined]);
  });
});

describe('a probe', () => {
  test('finds a port that others would share', () => {
    const { listener } = open({ host: '127.0.0.1', reusePort: true });

    expect(() => probeDatagramPort('127.0.0.1', listener.port)).toThrow(
      expect.objectContaining({ code: 'LISTENER_PORT_IN_USE' }),
    );
    listener.close();
    expect(() => probeDatagramPort('127.0.0.1', listener.port)).not.toThrow();
  });
});

// All of 127.0.0.0/8 is this machine's on Linux.
describe.runIf(process.platform === 'linux')('a wildcard listener', () => {
  test('answers from the address that was asked, and knows it', async () => {
    const port = await freePort();
    const { arrivals } = open({
      host: '0.0.0.0',
      port,
      addresses: addresses(() => ['127.0.0.1', '127.0.0.2']),
    });
    const client = await openClient();

    for (const asked of ['127.0.0.2', '127.0.0.1']) {
      expect(await client.ask('x', port, asked)).toMatchObject({ address: asked, port });
    }
    expect(arrivals.map(({ local }) => local)).toEqual(['127.0.0.2', '127.0.0.1']);
  });

  test('lets the system choose the address for those it does not know', async () => {
    const port = await freePort();
    const { arrivals } = open({ host: '0.0.0.0', port, addresses: addresses(() => ['127.0.0.1']) });
    const client = await openClient();

    const answer = await client.ask('x', port, '127.0.0.3');

    expect(answer.address).toBe('127.0.0.1');
    expect(arrivals).toMatchObject([{ local: '127.0.0.1' }]);
  });

  test('of the machine knows its interfaces', async () => {
    const port = await freePort();
    const clock = new FakeClock();
    const { arrivals } = open({
      host: '0.0.0.0',
      port,
      addresses: { clock, takesRest: false, isTaken: () => false },
    });
    const client = await openClient();

    await client.ask('x', port);

    expect(arrivals).toMatchObject([{ local: '127.0.0.1' }]);
  });

  test('follows addresses as they come and go', async () => {
    const port = await freePort();
    const clock = new FakeClock();
    let present = ['127.0.0.1', '192.0.2.1'];
    const { closed, errors } = open({
      host: '0.0.0.0',
      port,
      addresses: addresses(() => present, { clock }),
    });
    const client = await openClient();

    present = ['127.0.0.1', '127.0.0.2'];
    clock.advance(5000);
    expect(await client.ask('x', port, '127.0.0.2')).toMatchObject({ address: '127.0.0.2' });
    expect(closed).toEqual([]);

    present = ['127.0.0.1'];
    clock.advance(5000);
    expect(closed).toEqual(['EADDRNOTAVAIL']);
    expect(await client.ask('x', port, '127.0.0.2')).toMatchObject({ address: '127.0.0.1' });
    expect(errors).toEqual([]);
  });

  test('leaves an address to whoever has it, and says when somebody else took one', async () => {
    const port = await freePort();
    const clock = new FakeClock();
    const other = open({ host: '127.0.0.2', port, reusePort: true });
    let present = ['127.0.0.1', '127.0.0.2'];
    const options = addresses(() => present, { clock, isTaken: (address) => address === '127.0.0.2' });
    const { errors } = open({ host: '0.0.0.0', port, addresses: options });
    const client = await openClient();

    await client.ask('x', port, '127.0.0.2');
    expect(other.arrivals).toHaveLength(1);

    const foreign = await DatagramPeer.open({ host: '127.0.0.9' });
    onTestFinished(() => foreign.close());
    present = ['127.0.0.1', '127.0.0.9'];
    const alone = open({
      host: '0.0.0.0',
      port: foreign.port,
      addresses: addresses(() => ['127.0.0.9'], {
        clock,
        takesRest: false,
        isTaken: () => clock.nowMs() === 0,
      }),
    });
    clock.advance(5000);
    clock.advance(5000);
    expect(alone.errors).toMatchObject([{ code: 'LISTENER_PORT_IN_USE' }]);
    expect(errors).toEqual([]);
  });

  test('stops looking when it is closed', async () => {
    const clock = new FakeClock();
    const { listener } = open({
      host: '0.0.0.0',
      port: await freePort(),
      addresses: addresses(() => ['127.0.0.1'], { clock }),
    });
    expect(clock.running).toBe(1);

    listener.close();

    expect(clock.running).toBe(0);
  });

  test('gets a broadcast once where one thread of several takes the rest', async () => {
    const port = await freePort();
    const find = (): readonly string[] => ['127.0.0.1'];
    const first = open({ host: '0.0.0.0', port, addresses: addresses(find) });
    const second = open({ host: '0.0.0.0', port, addresses: addresses(find, { takesRest: false }) });
    const client = await openClient();

    // All of 127.0.0.0/8 has this one as its broadcast address; the answer comes back without a broadcast.
    await client.sendBroadcast('x', port, '127.255.255.255');
    await client.take();

    expect([first.arrivals.length, second.arrivals.length]).toEqual([1, 0]);
  });
});

/** As root; elsewhere the tests above have to do, whose addresses are made up. */
const canMakeNetworks = spawnSync('unshare', ['--net', 'ip', 'link', 'set', 'lo', 'up']).status === 0;

test.runIf(canMakeNetworks)('a wildcard listener follows the addresses of real interfaces', () => {
  const program = fileURLToPath(new URL('../testing/wildcard-in-namespace.ts', import.meta.url));
  const shell = 'ip link set lo up && exec "$@"';
  const node = [process.execPath, '--conditions=@apisix-ts/source', program];

  const { stdout, stderr } = spawnSync('unshare', ['--net', 'sh', '-c', shell, 'sh', ...node], {
    encoding: 'utf8',
  });

  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual({
    first: ['127.0.0.1', '127.0.0.1'],
    // Until the next look the system chooses.
    unseen: ['127.0.0.1', '127.0.0.1'],
    seen: ['192.0.2.7', '192.0.2.7'],
    last: ['127.0.0.1', '127.0.0.1'],
  });
});

describe('a link', () => {
  function connect(port: number, host = '127.0.0.1') {
    const link = openDatagramLink(host, port);
    const received: string[] = [];
    const failures: (LinkFailure & { readonly unsent: string | undefined })[] = [];
    link.handler = {
      onDatagram: (view) => void received.push(Buffer.from(view).toString()),
      onFailure: (failure, unsent) =>
        void failures.push({ ...failure, unsent: unsent && Buffer.from(unsent).toString() }),
    };
    onTestFinished(() => link.close());
    return { link, received, failures };
  }

  test.for(['127.0.0.1', '::1'])('sends to %s and receives from there', async (host) => {
    const server = await openDatagramEcho('re ', host);
    onTestFinished(() => server.close());
    const { link, received } = connect(server.port, host);

    expect(link.send(Buffer.from('a'))).toBe(true);
    link.send(Buffer.from(''));

    await vi.waitFor(() => expect(received).toEqual(['re a', 're ']), eventually);
  });

  test('takes datagrams of its node only', async () => {
    const server = await DatagramPeer.open();
    onTestFinished(() => server.close());
    const stranger = await openClient();
    const { link, received } = connect(server.port);
    link.send(Buffer.from('a'));
    const { port } = await server.take();

    await stranger.send('from a stranger', port);
    await server.send('from the node', port);

    await vi.waitFor(() => expect(received).toContain('from the node'), eventually);
    expect(received).toEqual(['from the node']);
  });

  test('tells of a refusal, once, and is closed then', async () => {
    const before = countDescriptors();
    const { link, failures } = connect(await freePort());

    link.send(Buffer.from('a'));

    await vi.waitFor(() => expect(failures).toHaveLength(1), eventually);
    expect(failures).toEqual([{ kind: 'refused', errno: 'ECONNREFUSED', unsent: undefined }]);
    expect(link.send(Buffer.from('b'))).toBe(false);
    link.close();
    expect(countDescriptors()).toBe(before);
  });

  test('gives back the datagram that met the refusal of an earlier one', async () => {
    const { link, failures } = connect(await freePort());

    // On loopback the refusal is there when the first call returns.
    link.send(Buffer.from('a'));
    link.send(Buffer.from('b'));

    await vi.waitFor(() => expect(failures).toHaveLength(1), eventually);
    expect(failures).toEqual([{ kind: 'refused', errno: 'ECONNREFUSED', unsent: 'b' }]);
  });

  test('fails later, and never from within, where there is no way', async () => {
    // A broadcast address takes no datagrams of a socket that did not ask for it.
    const { link, failures } = connect(53, '255.255.255.255');
    expect(failures).toEqual([]);
    expect(link.send(Buffer.from('a'))).toBe(false);

    await vi.waitFor(() => expect(failures).toMatchObject([{ kind: 'failed', errno: 'EACCES' }]), eventually);
  });

  test('loses a datagram that is too large, and goes on', async () => {
    const server = await openDatagramEcho('re ');
    onTestFinished(() => server.close());
    const { link, received, failures } = connect(server.port);

    link.send(new Uint8Array(65_508));
    link.send(Buffer.from('a'));

    await vi.waitFor(() => expect(received).toEqual(['re a']), eventually);
    expect(failures).toEqual([]);
  });

  test('has nothing to say after it was closed', async () => {
    const { link, failures } = connect(await freePort());
    link.send(Buffer.from('a'));
    link.close();
    link.close();

    // A refusal of another link, later than the first one's would have been.
    const other = connect(await freePort());
    other.link.send(Buffer.from('b'));
    await vi.waitFor(() => expect(other.failures).toHaveLength(1), eventually);
    expect(failures).toEqual([]);
  });
});
