import { describe, expect, test } from 'vitest';
import type { NodeFacts, UpstreamFacts } from '../facts/facts.ts';
import { Upstream } from './upstream.ts';

const node: NodeFacts = { host: 'a', address: '192.0.2.1', port: 1, weight: 1, priority: 0 };

function facts(changes: Partial<UpstreamFacts> = {}): UpstreamFacts {
  const nodes = [node, { ...node, address: '192.0.2.2' }, { ...node, address: '192.0.2.3' }];
  return { type: 'roundrobin', nodes, connectTimeoutMs: 1, idleTimeoutMs: 1, retryTimeoutMs: 0, ...changes };
}

describe('attempts', () => {
  test.for([
    [undefined, 3],
    [0, 1],
    [5, 6],
  ] as const)('with retries %s are %i', ([retries, attempts]) => {
    expect(new Upstream(facts(retries === undefined ? {} : { retries })).attempts).toBe(attempts);
  });
});

describe('a change', () => {
  test('of a time-out leaves the balancer where it was', () => {
    const upstream = new Upstream(facts());
    const { balancer } = upstream;

    upstream.update(facts({ idleTimeoutMs: 9 }));

    expect(upstream.balancer).toBe(balancer);
    expect(upstream.facts.idleTimeoutMs).toBe(9);
  });

  test.for([
    ['of the nodes', { nodes: [node] }],
    ['of a weight', { nodes: facts().nodes.map((each) => ({ ...each, weight: 2 })) }],
    ['of the balancer', { type: 'chash' }],
  ] as const)('%s builds a new balancer', ([, changes]) => {
    const upstream = new Upstream(facts());
    const { balancer } = upstream;

    upstream.update(facts(changes));

    expect(upstream.balancer).not.toBe(balancer);
  });
});

test('a type that does not exist is balanced in turn', () => {
  const upstream = new Upstream(facts({ type: 'absent' }));
  const picked = [1, 2, 3].map(() => upstream.balancer.pick({ tried: new Set(), key: undefined })?.address);

  expect(new Set(picked).size).toBe(3);
});

test('without nodes there is nothing to pick', () => {
  const upstream = new Upstream(facts({ nodes: [] }));

  expect(upstream.balancer.pick({ tried: new Set(), key: undefined })).toBeUndefined();
});
