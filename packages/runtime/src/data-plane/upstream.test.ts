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
function take(upstream: Upstream, attempt = firstAttempt): WorkerNode | undefined {
  const taken = upstream.take(attempt);
  return taken === 'full' ? undefined : taken;
}

/** For a session that is over at once. */
function pick(upstream: Upstream, attempt = firstAttempt): WorkerNode | undefined {
  const taken = take(upstream, attempt);
  taken?.load.end();
  return taken;
}

function picks(upstream: Upstream, count: number): (string | undefined)[] {
  return Array.from({ length: count }, () => pick(upstream)?.address);
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

/** Of the three the first two stay, with another weight, and the last is replaced. */
const [first, second, third] = three;
const moved = [
  { ...first, weight: 2 },
  { ...second, weight: 2 },
  node('192.0.2.9', { weight: 2 }),
] as NodeFacts[];

describe('when addresses change', () => {
  test('round robin goes on with the turns of the nodes that stay', () => {
    const upstream = new Upstream('upstreams/u', facts(), loads);
    while (pick(upstream)?.address !== first?.address);

    upstream.update(facts({ nodes: moved }));

    expect(picks(upstream, 4)).toEqual(['192.0.2.2', '192.0.2.9', '192.0.2.1', '192.0.2.2']);
  });

  test('chash moves only the keys of the node that went, and those that the new one gets', () => {
    const upstream = new Upstream('upstreams/u', facts({ type: 'chash' }), loads);
    const keys = Array.from({ length: 500 }, (_, index) => `192.0.2.${index}`);
    const all = (): (string | undefined)[] =>
      keys.map((key) => pick(upstream, { tried: new Set(), key })?.address);
    const before = all();

    upstream.update(facts({ type: 'chash', nodes: moved }));

    const kept = before.flatMap((address, index) =>
      address === third?.address ? [] : [[address, index] as const],
    );
    const after = all();
    expect(new Set(before).size).toBe(3);
    expect(kept.every(([address, index]) => [address, '192.0.2.9'].includes(after[index]))).toBe(true);
    expect(kept.filter(([address, index]) => address === after[index]).length).toBeGreaterThan(
      kept.length / 2,
    );
  });

  test.for(['least_conn', 'random'] as const)('%s knows of the sessions of the nodes that stay', (type) => {
    const upstream = new Upstream('upstreams/u', facts({ type, nodes: three.slice(0, 2) }), loads);
    const busy = pick(upstream);
    busy?.load.begin();

    upstream.update(facts({ type, nodes: moved.slice(0, 2) }));

    expect(new Set(picks(upstream, 6)).size).toBe(1);
    expect(picks(upstream, 6)).not.toContain(busy?.address);
    busy?.load.end();
  });

  test('ewma knows how long the nodes that stay took', () => {
    const upstream = new Upstream('upstreams/u', facts({ type: 'ewma', nodes: three.slice(0, 2) }), loads);
    const slow = pick(upstream);
    slow?.load.begin();
    slow?.load.connected(500);
    const fast = pick(upstream);
    fast?.load.begin();
    fast?.load.connected(1);
    for (const each of [slow, fast]) each?.load.end();

    upstream.update(facts({ type: 'ewma', nodes: moved.slice(0, 2) }));

    expect(new Set(picks(upstream, 6))).toEqual(new Set([fast?.address]));
    expect(fast?.address).not.toBe(slow?.address);
  });

  test('a session that goes on does not get a node again that it has tried', () => {
    const upstream = new Upstream('upstreams/u', facts(), loads);
    const tried = pick(upstream);

    upstream.update(facts({ nodes: three.map((each) => ({ ...each, weight: 5 })) }));

    const left = Array.from({ length: 6 }, () =>
      pick(upstream, { tried: new Set(tried && [tried]), key: '' }),
    );
    expect(left.map((each) => each?.address)).not.toContain(tried?.address);
    expect(pick(upstream, { tried: new Set([tried, ...left] as WorkerNode[]), key: '' })).toBeUndefined();
  });

  test('a node that is named twice stays two', () => {
    const twice = [node('192.0.2.1'), node('192.0.2.1'), node('192.0.2.2')];
    const upstream = new Upstream('upstreams/u', facts({ nodes: twice }), loads);
    picks(upstream, 1);

    upstream.update(facts({ nodes: twice.map((each) => ({ ...each, weight: 3 })) }));

    expect(picks(upstream, 3).filter((address) => address === '192.0.2.1')).toHaveLength(2);
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
    const [preferred, reserve] = [node('192.0.2.1', { priority: 1 }), node('192.0.2.2')];
    const nodes = [preferred, reserve];
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
