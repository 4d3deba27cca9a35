import type { Attempt } from '@apisix-ts/core';
import { describe, expect, test } from 'vitest';
import type { NodeFacts, UpstreamFacts } from '../facts/facts.ts';
import { SharedNodeLoads, WorkerNodeLoads } from '../shared-node-loads.ts';
import { Upstream } from './upstream.ts';
import type { WorkerNode } from './upstream.ts';

const shared = new SharedNodeLoads(1);
const loads = new WorkerNodeLoads(shared.shared, 0, () => 0);

function node(address: string, changes: Partial<NodeFacts> = {}): NodeFacts {
  const slot = shared.slotOf(address);
  return { host: address, address, port: 1, weight: 1, priority: 0, slot, ...changes };
}

const three = [node('192.0.2.1'), node('192.0.2.2'), node('192.0.2.3')];

function facts(changes: Partial<UpstreamFacts> = {}): UpstreamFacts {
  return { type: 'roundrobin', nodes: three, connectTimeoutMs: 1, idleTimeoutMs: 1, ...changes };
}

const firstAttempt: Attempt = { tried: new Set(), key: undefined };

/** Where no node is full. */
function take(upstream: Upstream): WorkerNode | undefined {
  const taken = upstream.take(firstAttempt);
  return taken === 'full' ? undefined : taken;
}

function picks(upstream: Upstream, count: number): (string | undefined)[] {
  return Array.from({ length: count }, () => {
    const taken = take(upstream);
    taken?.load.end();
    return taken?.address;
  });
}

describe('attempts', () => {
  test.for([
    [undefined, 3],
    [0, 1],
    [5, 6],
  ] as const)('with retries %s are %i', ([retries, attempts]) => {
    expect(new Upstream('upstreams/u', facts(retries === undefined ? {} : { retries }), loads).attempts).toBe(
      attempts,
    );
  });
});

describe('the age of a session', () => {
  test.for([
    [undefined, 0.5, 0],
    [{ mostMs: 60_000, jitter: 0 }, 0.5, 60_000],
    [{ mostMs: 60_000, jitter: 0.1 }, 0, 60_000],
    [{ mostMs: 60_000, jitter: 0.1 }, 0.5, 57_000],
    [{ mostMs: 60_000, jitter: 1 }, 0.75, 15_000],
  ] as const)('of at most %j is, when %f is drawn, %i ms', ([sessionAge, drawn, ageMs]) => {
    const upstream = new Upstream('upstreams/u', facts(sessionAge && { sessionAge }), loads);

    expect(upstream.drawMaxAgeMs(() => drawn)).toBe(ageMs);
  });
});

describe('a change', () => {
  test('of a time-out lets the balancer go on where it was', () => {
    const upstream = new Upstream('upstreams/u', facts(), loads);
    const before = picks(upstream, 1);

    upstream.update(facts({ idleTimeoutMs: 9 }));

    expect(new Set([...before, ...picks(upstream, 2)]).size).toBe(3);
    expect(upstream.facts.idleTimeoutMs).toBe(9);
  });

  test('of the nodes holds for the next session', () => {
    const upstream = new Upstream('upstreams/u', facts(), loads);
    picks(upstream, 1);

    upstream.update(facts({ nodes: [node('192.0.2.9')] }));

    expect(picks(upstream, 2)).toEqual(['192.0.2.9', '192.0.2.9']);
  });

  test('of the balancer holds for the next session', () => {
    const upstream = new Upstream('upstreams/u', facts(), loads);
    picks(upstream, 1);

    upstream.update(facts({ type: 'chash' }));

    // Without a key all sessions look alike to a hash.
    expect(new Set(picks(upstream, 3)).size).toBe(1);
  });

  test('of weights leaves what is known of the nodes', () => {
    const upstream = new Upstream('upstreams/u', facts({ type: 'least_conn' }), loads);
    const busy = take(upstream);

    upstream.update(facts({ type: 'least_conn', nodes: three.map((each) => ({ ...each, weight: 2 })) }));

    expect(picks(upstream, 6)).not.toContain(busy?.address);
    busy?.load.end();
  });
});

test('an unhealthy node is passed over from the moment it is', () => {
  const upstream = new Upstream('upstreams/u', facts(), loads);
  picks(upstream, 1);

  shared.setHealthy('192.0.2.2', false);
  expect(picks(upstream, 6)).not.toContain('192.0.2.2');
  shared.setHealthy('192.0.2.2', true);

  expect(picks(upstream, 6)).toContain('192.0.2.2');
});

describe('a full node', () => {
  /** Takes nodes until there is none. */
  function takeAll(upstream: Upstream): { taken: WorkerNode[]; answer: 'full' | undefined } {
    const taken: WorkerNode[] = [];
    for (;;) {
      const answer = upstream.take(firstAttempt);
      if (answer === undefined || answer === 'full') return { taken, answer };
      taken.push(answer);
    }
  }

  test.for(['roundrobin', 'least_conn', 'ewma', 'random', 'chash'])('is passed over by %s', (type) => {
    const upstream = new Upstream('upstreams/u', facts({ type, nodeMaxConnections: 2 }), loads);

    const { taken, answer } = takeAll(upstream);

    expect(answer).toBe('full');
    expect(taken.map(({ address }) => address).sort()).toEqual(
      three.flatMap(({ address }) => [address, address]),
    );
    for (const each of taken) each.load.end();
  });

  test('leaves its share to the next priority', () => {
    const [first, second] = [node('192.0.2.1', { priority: 1 }), node('192.0.2.2')];
    const nodes = [first, second];
    const upstream = new Upstream('upstreams/u', facts({ nodes, nodeMaxConnections: 1 }), loads);

    const { taken } = takeAll(upstream);

    expect(taken.map(({ address }) => address)).toEqual(['192.0.2.1', '192.0.2.2']);
    for (const each of taken) each.load.end();
  });

  test('is not what a session lacks that has tried all nodes', () => {
    const upstream = new Upstream('upstreams/u', facts({ nodeMaxConnections: 1 }), loads);
    const { taken } = takeAll(upstream);

    expect(upstream.take({ tried: new Set(taken), key: undefined })).toBeUndefined();
    for (const each of taken) each.load.end();
  });
});

test('a type that does not exist is balanced in turn', () => {
  expect(new Set(picks(new Upstream('upstreams/u', facts({ type: 'absent' }), loads), 3)).size).toBe(3);
});

test('without nodes there is nothing to pick', () => {
  expect(picks(new Upstream('upstreams/u', facts({ nodes: [] }), loads), 1)).toEqual([undefined]);
});
