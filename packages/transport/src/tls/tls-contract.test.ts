import { testRelay, testWires } from '@apisix-ts/core/contract';
import type { RelayHarness, WirePair } from '@apisix-ts/core/contract';
import { TimerWheel } from '@apisix-ts/core';
import type { Wire } from '@apisix-ts/core';
import { connectPeer, countDescriptors, FakeClock, makeCertificate, openServer } from '@apisix-ts/testkit';
import type { Peer } from '@apisix-ts/testkit';
import { afterAll, onTestFinished } from 'vitest';
import { createHandleDriver } from '../handle/handle-driver.ts';
import { portBehind } from '../testing/port-behind.ts';
import { openTlsGate } from '../testing/tls-gate.ts';
import { connectTlsPeer, openTlsPeerServer } from '../testing/tls-peers.ts';
import { compileUpstreamTls, dialTls } from './dial-tls.ts';

/** A listening side, and one that is dialed, of one kind each. */
interface ClientSide {
  readonly isTls: boolean;
  readonly port: number;
  connect(port: number): Promise<Peer>;
  accept(): Promise<Wire>;
}
interface ServerSide {
  readonly isTls: boolean;
  readonly port: number;
  dial(port: number): Promise<Wire>;
  accept(): Promise<Peer>;
}

const wheel = new TimerWheel(new FakeClock());
const pair = await makeCertificate({ names: ['a.test'] });
const tls = compileUpstreamTls({});

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  const client = await tlsClients(version);
  const server = await tlsServers(version);
  testWires(`accepted with ${version}`, () => openAccepted(client));
  testWires(`dialed with ${version}`, () => openDialed(server));
}

const [secureClients, secureServers] = [await tlsClients('TLSv1.3'), await tlsServers('TLSv1.3')];
testRelay('TLS to handle', createHarness(secureClients, await plainServers()));
testRelay('handle to TLS 1.2', createHarness(await plainClients(), await tlsServers('TLSv1.2')));
testRelay('TLS to TLS', createHarness(secureClients, secureServers));

function createHarness(clients: ClientSide, servers: ServerSide): RelayHarness {
  return {
    async open(toxic) {
      const clientPort = await portBehind(clients.port, toxic, 'client');
      const serverPort = await portBehind(servers.port, toxic, 'server');
      const [client, downstream] = await Promise.all([clients.connect(clientPort), clients.accept()]);
      const [upstream, server] = await Promise.all([servers.dial(serverPort), servers.accept()]);
      onTestFinished(() => {
        downstream.close();
        upstream.close();
        client.destroy();
        server.destroy();
      });
      return { client, downstream, upstream, server };
    },
    tlsSides: [
      ...(clients.isTls ? (['client'] as const) : []),
      ...(servers.isTls ? (['server'] as const) : []),
    ],
    createClock: () => new FakeClock(),
    countDescriptors,
  };
}

async function openAccepted(clients: ClientSide): Promise<WirePair> {
  const [peer, wire] = await Promise.all([clients.connect(clients.port), clients.accept()]);
  onTestFinished(() => {
    wire.close();
    peer.destroy();
  });
  return { wire, peer };
}

async function openDialed(servers: ServerSide): Promise<WirePair> {
  const [wire, peer] = await Promise.all([servers.dial(servers.port), servers.accept()]);
  onTestFinished(() => {
    wire.close();
    peer.destroy();
  });
  return { wire, peer };
}

async function tlsClients(version: 'TLSv1.2' | 'TLSv1.3'): Promise<ClientSide> {
  const gate = await openTlsGate({ 1: { serverNames: ['a.test'], pairs: [pair] } });
  afterAll(() => gate.close());
  return {
    isTls: true,
    port: gate.port,
    connect: (port) => connectTlsPeer(port, 'a.test', version),
    async accept() {
      const { wire, error } = await gate.next();
      if (wire === undefined) throw error ?? new Error('neither a wire nor an error');
      await ticketsSent();
      return wire;
    },
  };
}

async function tlsServers(version: 'TLSv1.2' | 'TLSv1.3'): Promise<ServerSide> {
  const server = await openTlsPeerServer(pair, version);
  afterAll(() => server.close());
  return {
    isTls: true,
    port: server.port,
    async accept() {
      const peer = await server.accept();
      await ticketsSent();
      return peer;
    },
    dial: (port) =>
      new Promise((resolve, reject) => {
        dialTls(wheel, { ...target(port), tls }, { onWire: resolve, onFailure: reject });
      }),
  };
}

async function plainClients(): Promise<ClientSide> {
  const waiting: ((wire: Wire) => void)[] = [];
  const accepted: Wire[] = [];
  const listener = await handleDriver().listen(
    { host: '127.0.0.1', port: 0 },
    {
      onWire(wire) {
        const take = waiting.shift();
        if (take === undefined) accepted.push(wire);
        else take(wire);
      },
      onAcceptError(error) {
        throw error;
      },
    },
  );
  afterAll(() => listener.close());
  return {
    isTls: false,
    port: listener.port,
    connect: (port) => connectPeer(port),
    accept: () =>
      new Promise((resolve) => {
        const wire = accepted.shift();
        if (wire === undefined) waiting.push(resolve);
        else resolve(wire);
      }),
  };
}

async function plainServers(): Promise<ServerSide> {
  const server = await openServer();
  afterAll(() => server.close());
  return {
    isTls: false,
    port: server.port,
    accept: () => server.accept(),
    dial: (port) =>
      new Promise((resolve, reject) => {
        handleDriver().dial(target(port), { onWire: resolve, onFailure: reject });
      }),
  };
}

/**
 * A server of TLS 1.3 sends tickets right after it has told that the handshake is done. A reset that comes between would
 * fail that write, silently, and be read as an end.
 */
async function ticketsSent(): Promise<void> {
  await new Promise(setImmediate);
}

function handleDriver(): NonNullable<ReturnType<typeof createHandleDriver>> {
  const driver = createHandleDriver(wheel);
  if (driver === undefined) throw new Error('this Node has no TCP handles: the tests of them cannot run');
  return driver;
}

function target(port: number): { address: string; port: number; connectTimeoutMs: number } {
  return { address: '127.0.0.1', port, connectTimeoutMs: 5000 };
}
