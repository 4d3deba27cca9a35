import { execFile, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { TimerWheel } from '@apisix-ts/core';
import type { Wire } from '@apisix-ts/core';
import { GatewayError } from '@apisix-ts/errors';
import { connectPeer, countDescriptors, FakeClock, freePort, openServer } from '@apisix-ts/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { DialOptions, ListenOptions, WireDriver } from './driver.ts';
import { createHandleDriver } from './handle/handle-driver.ts';
import { loadNativeTcp } from './handle/native-tcp.ts';
import { createSocketDriver } from './socket/socket-driver.ts';
import { SocketWire } from './socket/socket-wire.ts';

const kinds: readonly (readonly [string, (wheel: TimerWheel) => WireDriver])[] = [
  ['handle', requireHandleDriver],
  ['socket', createSocketDriver],
];

describe.for(kinds)('driver: %s', ([, create]) => {
  describe('listening', () => {
    test('says which port it got, and stops listening at once when closed', async () => {
      const driver = create(new TimerWheel(new FakeClock()));
      const { listener, accepted } = await listen(driver, { host: '127.0.0.1', port: 0 });
      const peer = await connectPeer(listener.port);
      const wire = await accepted;

      listener.close();
      listener.close();

      await expect(connectPeer(listener.port)).rejects.toThrow('ECONNREFUSED');
      wire.write(Buffer.from('accepted ones stay'));
      expect((await peer.take(18)).toString()).toBe('accepted ones stay');
      expect(wire.localPort).toBe(listener.port);
    });

    test('accepts who waits before it closes, and is closed when that is done', async () => {
      const driver = create(new TimerWheel(new FakeClock()));
      const wires: Wire[] = [];
      const listener = await driver.listen(
        { host: '127.0.0.1', port: await freePort() },
        { onWire: (wire) => wires.push(wire), onAcceptError: () => {} },
      );

      const peers = Array.from({ length: 200 }, () => connectPeer(listener.port));
      // The system has them all when Node has asked it, and this thread has accepted none.
      await new Promise<void>((resolve) => process.nextTick(resolve));
      await listener.retire();
      for (const wire of wires) wire.write(Buffer.from('hello'));

      expect(wires).toHaveLength(200);
      for (const peer of peers) expect(String(await (await peer).take(5))).toBe('hello');
      await expect(connectPeer(listener.port)).rejects.toThrow('ECONNREFUSED');
      await listener.retire();
      for (const wire of wires) wire.close();
    });

    test.for<[string, ListenOptions, string, RegExp]>([
      [
        'an address of another machine',
        { host: '192.0.2.1', port: 0 },
        'LISTENER_FAILED',
        /192\.0\.2\.1:0: this machine does not have/,
      ],
      [
        'a host that is no address',
        { host: 'not an address', port: 0 },
        'LISTENER_FAILED',
        /cannot listen on not an address:0/,
      ],
    ])('refuses %s', async ([, options, code, message]) => {
      const driver = create(new TimerWheel(new FakeClock()));

      const error = await failure(listen(driver, options));

      expect(error.code).toBe(code);
      expect(error.message).toMatch(message);
    });

    test('a port in use is named, with what to do', async () => {
      const server = await openServer();
      onTestFinished(() => server.close());
      const driver = create(new TimerWheel(new FakeClock()));

      const error = await failure(listen(driver, { host: '127.0.0.1', port: server.port }));

      expect(error.code).toBe('LISTENER_PORT_IN_USE');
      expect(error.message).toContain(`127.0.0.1:${server.port}: the port is in use; stop the program`);
    });

    test('listeners with reusePort share a port', async () => {
      const driver = create(new TimerWheel(new FakeClock()));

      const first = await listen(driver, { host: '127.0.0.1', port: 0, reusePort: true });
      const second = await listen(driver, { host: '127.0.0.1', port: first.listener.port, reusePort: true });

      expect(second.listener.port).toBe(first.listener.port);
    });

    test('takes over the socket of another process, with the connections that wait there', async () => {
      const driver = create(new TimerWheel(new FakeClock()));
      const { descriptor, port, end } = await openFrozenListener();
      const peers = await Promise.all(Array.from({ length: 20 }, () => connectPeer(port)));
      const wires: Wire[] = [];

      const listener = await driver.listen(
        { host: '127.0.0.1', port, inherited: descriptor },
        { onWire: (wire) => wires.push(wire), onAcceptError: () => {} },
      );
      onTestFinished(() => listener.close());
      await end();

      await expect.poll(() => wires.length).toBe(20);
      expect([listener.port, listener.descriptor]).toEqual([port, descriptor]);
      for (const wire of wires) wire.write(Buffer.from('hello'));
      expect(new Set((await Promise.all(peers.map((peer) => peer.take(5)))).map(String))).toEqual(
        new Set(['hello']),
      );
      for (const wire of wires) wire.close();
    });

    test('does not take a descriptor that is no listener', async () => {
      const driver = create(new TimerWheel(new FakeClock()));
      const server = await openServer();
      onTestFinished(() => server.close());
      const socket = connect(server.port, '127.0.0.1');
      onTestFinished(() => void socket.destroy());
      await once(socket, 'connect');
      const handle: unknown = Reflect.get(socket, '_handle');
      const inherited = Number(typeof handle === 'object' && handle !== null && Reflect.get(handle, 'fd'));

      const error = await failure(listen(driver, { host: '127.0.0.1', port: 1, inherited }));

      expect(error.code).toBe('LISTENER_FAILED');
    });

    test('hands over sockets from the moment that somebody wants them, and wires again', async () => {
      const driver = create(new TimerWheel(new FakeClock()));
      const wires: Wire[] = [];
      const came = new EventEmitter();
      const listener = await driver.listen(
        { host: '127.0.0.1', port: 0 },
        { onWire: (wire) => came.emit('wire', wires.push(wire)), onAcceptError: () => {} },
      );
      onTestFinished(() => listener.close());

      for (const wanted of [true, false]) {
        listener.useSockets(wanted);
        const peer = await Promise.all([connectPeer(listener.port), once(came, 'wire')]).then(([one]) => one);
        wires.at(-1)?.end();
        expect((await peer.rest()).ending).toBe('end');
        peer.end();
      }

      expect(wires.map((wire) => wire instanceof SocketWire)).toEqual([true, driver.name === 'socket']);
    });

    test('shows an IPv4 client of an IPv6 listener as IPv4', async () => {
      const driver = create(new TimerWheel(new FakeClock()));
      const { listener, accepted } = await listen(driver, { host: '::', port: 0 });

      const peer = await connectPeer(listener.port);
      const wire = await accepted;

      expect([wire.remoteAddress, wire.remotePort]).toEqual(['127.0.0.1', peer.localPort]);
      expect(wire.localAddress).toBe('127.0.0.1');
    });

    test('with ipv6Only leaves IPv4 on the port alone', async () => {
      const driver = create(new TimerWheel(new FakeClock()));
      const { listener, accepted } = await listen(driver, { host: '::', port: 0, ipv6Only: true });

      await expect(connectPeer(listener.port, '127.0.0.1')).rejects.toThrow('ECONNREFUSED');
      await connectPeer(listener.port, '::1');

      expect((await accepted).remoteAddress).toBe('::1');
    });
  });

  describe('dialing', () => {
    test('connects from the address it is told', async () => {
      const server = await openServer();
      onTestFinished(() => server.close());
      const driver = create(new TimerWheel(new FakeClock()));

      const wire = await dial(driver, { ...target(server.port), localAddress: '127.0.0.9' });

      expect([wire.localAddress, wire.remoteAddress]).toEqual(['127.0.0.9', '127.0.0.1']);
      expect([wire.localPort, wire.remotePort]).toEqual([expect.any(Number), server.port]);
    });

    test('connects over IPv6', async () => {
      const server = await openServer('::1');
      onTestFinished(() => server.close());
      const driver = create(new TimerWheel(new FakeClock()));

      const wire = await dial(driver, { ...target(server.port), address: '::1' });

      expect(wire.remoteAddress).toBe('::1');
    });

    test.for<[string, Partial<DialOptions>, string, string]>([
      ['a port that nobody listens on', {}, 'UPSTREAM_CONNECT_REFUSED', 'ECONNREFUSED'],
      [
        'a local address of another machine',
        { localAddress: '192.0.2.1' },
        'UPSTREAM_SOURCE_UNAVAILABLE',
        'EADDRNOTAVAIL',
      ],
    ])('tells why it could not reach %s, and leaves nothing behind', async ([, options, code, errno]) => {
      const server = await openServer();
      await server.close();
      const wheel = new TimerWheel(new FakeClock());
      const driver = create(wheel);
      const before = countDescriptors();

      const error = await failure(dial(driver, { ...target(server.port), ...options }));

      expect(error.code).toBe(code);
      expect(error.detail['errno']).toBe(errno);
      expect(error.message).toContain(`127.0.0.1:${server.port}`);
      expect(wheel.size).toBe(0);
      expect(countDescriptors()).toBe(before);
    });

    test('gives up on a peer that does not answer, and leaves nothing behind', async () => {
      const port = await openSilentPort();
      const clock = new FakeClock();
      const wheel = new TimerWheel(clock);
      const before = countDescriptors();
      const failed = failure(dial(create(wheel), { ...target(port), connectTimeoutMs: 3000 }));

      clock.advance(2900);
      expect(wheel.size).toBe(1);
      clock.advance(300);

      const error = await failed;
      expect(error.code).toBe('UPSTREAM_CONNECT_TIMEOUT');
      expect(error.message).toBe(`expected to connect to 127.0.0.1:${port} within 3000 ms, got no answer`);
      expect(wheel.size).toBe(0);
      expect(countDescriptors()).toBe(before);
    });

    test('a cancelled attempt tells nothing and leaves nothing behind', async () => {
      const port = await openSilentPort();
      const wheel = new TimerWheel(new FakeClock());
      const driver = create(wheel);
      const before = countDescriptors();
      const calls: string[] = [];

      const attempts = Array.from({ length: 20 }, () =>
        driver.dial(target(port), {
          onWire: () => calls.push('wire'),
          onFailure: () => calls.push('failure'),
        }),
      );
      for (const attempt of attempts) attempt.cancel();
      attempts[0]?.cancel();

      await new Promise(setImmediate);
      expect(countDescriptors()).toBe(before);
      expect(calls).toEqual([]);
      expect(wheel.size).toBe(0);
    });

    test('cancelling after the outcome changes nothing', async () => {
      const server = await openServer();
      onTestFinished(() => server.close());
      const driver = create(new TimerWheel(new FakeClock()));
      const { promise, resolve, reject } = Promise.withResolvers<Wire>();

      const attempt = driver.dial(target(server.port), { onWire: resolve, onFailure: reject });
      const wire = await promise;
      attempt.cancel();

      expect(wire.write(Buffer.from('open'))).toBe(true);
      expect((await (await server.accept()).take(4)).toString()).toBe('open');
      wire.close();
    });
  });

  test('runs out of descriptors without dying or spinning, and serves again after', async () => {
    const script = fileURLToPath(new URL('./testing/descriptor-drought.ts', import.meta.url));
    const command = `ulimit -n 64 && exec "$0" --conditions=@apisix-ts/source "$1" "$2"`;

    const { name } = create(new TimerWheel(new FakeClock()));
    const { stdout } = await promisify(execFile)('sh', ['-c', command, process.execPath, script, name]);

    expect(JSON.parse(stdout)).toEqual({ isServingAgain: true, cpuShare: expect.closeTo(0, 0) });
  });
});

test("a server's answer arrives although the client is still sending and the server is gone", async () => {
  const server = await openServer();
  onTestFinished(() => server.close());
  const driver = requireHandleDriver(new TimerWheel(new FakeClock()));
  const wire = await dial(driver, target(server.port));
  const peer = await server.accept();
  const heard: string[] = [];
  const closed = Promise.withResolvers<string | undefined>();
  wire.handler = {
    onData: (view) => heard.push(Buffer.from(view).toString()),
    onWritten: () => heard.push('written'),
    onEnd: () => heard.push('end'),
    onClosed: (error) => closed.resolve(error?.kind),
  };

  wire.write(Buffer.from('never read'));
  await peer.send(Buffer.from('413 too much'));
  peer.destroy();
  await peer.closed;
  wire.resume();
  expect(wire.write(Buffer.from('more'))).toBe(false);

  expect(await closed.promise).toBe('reset');
  expect(heard).toEqual(['413 too much']);
});

function requireHandleDriver(wheel: TimerWheel): WireDriver {
  const driver = createHandleDriver(wheel);
  if (driver === undefined) throw new Error('this Node has no TCP handles: the tests of them cannot run');
  return driver;
}

function target(port: number): DialOptions {
  return { address: '127.0.0.1', port, connectTimeoutMs: 60_000 };
}

async function listen(driver: WireDriver, options: ListenOptions) {
  const accepted = Promise.withResolvers<Wire>();
  const listener = await driver.listen(options, { onWire: accepted.resolve, onAcceptError: accepted.reject });
  onTestFinished(() => listener.close());
  void accepted.promise.then((wire) => onTestFinished(() => wire.close()));
  return { listener, accepted: accepted.promise };
}

function dial(driver: WireDriver, options: DialOptions): Promise<Wire> {
  return new Promise((resolve, reject) => {
    driver.dial(options, { onWire: resolve, onFailure: reject });
  });
}

async function failure(outcome: Promise<unknown>): Promise<GatewayError> {
  const error = await outcome.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof GatewayError) return error;
  throw new Error('expected a GatewayError', { cause: error });
}

/** A process that listens and accepts nothing, as if it were busy for ever; its socket is here too. */
async function openFrozenListener(): Promise<{
  descriptor: number;
  port: number;
  end: () => Promise<unknown>;
}> {
  const port = await freePort();
  // As such a socket is in a successor: a descriptor, which no other handle closes.
  const native = loadNativeTcp();
  const bound = native && new native.TCP(native.serverKind);
  expect(bound?.bind('127.0.0.1', port)).toBe(0);
  const descriptor = bound?.fd ?? -1;
  const program = "require('net').createServer().listen({ fd: 4 }, () => process.send('listening'))";
  const child = spawn(process.execPath, ['-e', program], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc', descriptor],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'message');
  child.kill('SIGSTOP');
  return {
    descriptor,
    port,
    async end() {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/**
 * A port whose queue of connections is full and whose program is stopped: the system drops every further SYN, as if
 * the machine were gone.
 */
async function openSilentPort(): Promise<number> {
  const program = `const server = require('net').createServer().listen({ host: '127.0.0.1', port: 0, backlog: 1 },
    () => console.log(server.address().port))`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  const [line] = await once(child.stdout, 'data');
  const port = Number(String(line));
  child.kill('SIGSTOP');
  // Backlog 1 holds two.
  for (const peer of [await connectPeer(port), await connectPeer(port)]) onTestFinished(() => peer.destroy());
  return port;
}
