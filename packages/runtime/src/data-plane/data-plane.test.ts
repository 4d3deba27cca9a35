import { DatagramPeer, connectPeer, freePort, openDatagramEcho, openSource } from '@apisix-ts/testkit';
import { expect, onTestFinished, test } from 'vitest';
import type { FactChange, UpstreamFacts } from '../facts/facts.ts';
import { SharedAdmissions } from '../shared-admissions.ts';
import { SharedCounters } from '../shared-counters.ts';
import { SharedNodeLoads } from '../shared-node-loads.ts';
import { SharedProgress } from '../shared-progress.ts';
import { SharedSessionCounts } from '../shared-session-counts.ts';
import { SharedWaiting } from '../shared-waiting.ts';
import { DataPlane } from './data-plane.ts';

const heads = {
  proxyProtocol: false,
  trusted: [],
  tlsPassthrough: false,
  proxyProtocolToUpstream: 0,
} as const;

interface Case {
  /** Opens a server that sends its name to whoever speaks to it. */
  readonly openServer: (name: string) => Promise<{ readonly port: number; close(): Promise<void> }>;
  /** The name of the server behind a port. */
  readonly greeting: (port: number) => Promise<string>;
}

const cases: Readonly<Record<'tcp' | 'udp', Case>> = {
  tcp: {
    openServer: (name) => openSource(Buffer.from(name)),
    async greeting(port) {
      const client = await connectPeer(port);
      const greeted = await client.take(3);
      client.destroy();
      return greeted.toString();
    },
  },
  udp: {
    openServer: (name) => openDatagramEcho(name),
    async greeting(port) {
      const client = await DatagramPeer.open();
      const { bytes } = await client.ask('', port);
      await client.close();
      return bytes.toString();
    },
  },
};

test.for(['tcp', 'udp'] as const)(
  'a change in several parts takes effect as a whole: %s',
  async (protocol) => {
    const { openServer, greeting } = cases[protocol];
    const [before, after] = await Promise.all([openServer('old'), openServer('new')]);
    const { dataPlane, port, slotOf } = await openDataPlane(protocol);
    onTestFinished(async () => {
      await dataPlane.close();
      await Promise.all([before.close(), after.close()]);
    });
    const upstream = (key: string, nodePort: number): FactChange => ({
      kind: 'upstream',
      key,
      facts: JSON.stringify({
        type: 'roundrobin',
        nodes: [
          {
            host: '127.0.0.1',
            address: '127.0.0.1',
            port: nodePort,
            weight: 1,
            priority: 0,
            slot: slotOf(key),
          },
        ],
        connectTimeoutMs: 5000,
        idleTimeoutMs: 60_000,
      } satisfies UpstreamFacts),
    });
    const routeTo = (upstreamKey: string): FactChange => ({
      kind: 'route',
      key: 'r',
      facts: { id: 'r', priority: 0, upstreamKey },
    });
    dataPlane.apply(1, [upstream('a', before.port), routeTo('a')], true);

    // Half of it: the upstream is gone, and the route still names it.
    dataPlane.apply(2, [{ kind: 'upstream', key: 'a', facts: undefined }], false);
    const meanwhile = await greeting(port);
    dataPlane.apply(2, [upstream('b', after.port), routeTo('b')], true);

    expect([meanwhile, await greeting(port)]).toEqual(['old', 'new']);
  },
);

/** A data plane in this thread, with one listener. */
async function openDataPlane(protocol: 'tcp' | 'udp'): Promise<{
  readonly dataPlane: DataPlane;
  readonly port: number;
  readonly slotOf: (node: string) => number;
}> {
  const loads = new SharedNodeLoads(1);
  const dataPlane = new DataPlane(
    {
      index: 0,
      counters: new SharedCounters(1).memory,
      loads: loads.shared,
      admissions: new SharedAdmissions(1).shared,
      waiting: new SharedWaiting(1).shared,
      progress: new SharedProgress(1).shared,
      sessionCounts: new SharedSessionCounts(1).shared,
      reusePort: false,
      relay: 'auto',
      halfClose: true,
      udpSessions: 2,
      ticketKeys: [],
    },
    { onLog() {}, onNodeFailure() {}, onAccess() {}, onTally() {} },
  );
  const port = await freePort();
  await dataPlane.listen([{ protocol, name: 'test', host: '127.0.0.1', port, slot: 0, heads, limits: {} }]);
  return { dataPlane, port, slotOf: (node) => loads.slotOf(node) };
}
