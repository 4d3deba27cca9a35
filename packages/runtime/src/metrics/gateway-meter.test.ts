import { connectPeer, eventually, freePort, openEcho } from '@apisix-ts/testkit';
import { describe, expect, test, vi } from 'vitest';
import { openGateway } from '../testing/open-gateway.ts';

describe.each([0, 2])('with %i threads', (workers) => {
  test('bytes of open sessions count, each once, however often somebody asks', async () => {
    const echo = await openEcho();
    const opened = await openGateway({ workers });
    const { gateway, port } = opened;
    await opened.put('stream_routes/r', { upstream: { nodes: { [`127.0.0.1:${echo.port}`]: 1 } } });
    const client = await connectPeer(port);
    const counted = async (): Promise<unknown> => {
      await gateway.refreshCounts();
      return gateway.counts().listeners.get(`127.0.0.1:${port}`);
    };

    await client.send('12345');
    await client.take(5);
    expect(await counted()).toMatchObject({ closed: 0, downstreamIngressBytes: 5, upstreamEgressBytes: 5 });
    expect(await counted()).toMatchObject({ closed: 0, downstreamIngressBytes: 5, upstreamEgressBytes: 5 });
    await client.send('678');
    await client.take(3);
    expect(await counted()).toMatchObject({ downstreamIngressBytes: 8, downstreamEgressBytes: 8 });
    client.destroy();

    await vi.waitFor(async () => {
      expect(await counted()).toMatchObject({
        closed: 1,
        downstreamIngressBytes: 8,
        upstreamIngressBytes: 8,
      });
    }, eventually);
    await echo.close();
  });

  test('sessions count by route, and by code, listener and node, with their retries', async () => {
    const echo = await openEcho();
    const deadPort = await freePort();
    const opened = await openGateway({ workers });
    const { gateway, port } = opened;
    await opened.put('stream_routes/r', {
      upstream: {
        nodes: [
          { host: '127.0.0.1', port: deadPort, weight: 1, priority: 1 },
          { host: '127.0.0.1', port: echo.port, weight: 1, priority: 0 },
        ],
      },
    });

    const client = await connectPeer(port);
    await client.send('12345');
    await client.take(5);
    client.end();
    await client.rest();

    await vi.waitFor(async () => {
      await gateway.refreshCounts();
      const { routes, statuses, events, connects } = gateway.counts();
      expect([...routes]).toEqual([{ labels: 'r', value: 1 }]);
      expect([...statuses]).toEqual([
        { labels: { code: '200', listener: `127.0.0.1:${port}`, node: `127.0.0.1:${echo.port}` }, value: 1 },
      ]);
      expect(events).toEqual({ retries: 1, downstreamHandshakes: 0, upstreamHandshakes: 0 });
      expect(connects.buckets.reduce((sum, [, count]) => sum + count, connects.above)).toBe(1);
      expect(connects.sum).toBeGreaterThan(0);
    }, eventually);
    await echo.close();
  });

  test('each thread tells how busy it is', async () => {
    const { gateway } = await openGateway({ workers });
    await gateway.refreshCounts();
    // The first look at the delay is a tenth of a second after somebody asked first.
    await vi.waitFor(async () => {
      await gateway.refreshCounts();
      const { threads } = gateway.counts();
      expect([...threads.keys()].toSorted()).toEqual([
        'main',
        ...Array.from({ length: workers || 1 }, (_, i) => `worker-${i}`),
      ]);
      for (const { activeSeconds, delays } of threads.values()) {
        expect(activeSeconds).toBeGreaterThan(0);
        expect([...delays.keys()]).toEqual([0.5, 0.9, 0.99, 1]);
      }
    }, eventually);
  });
});
