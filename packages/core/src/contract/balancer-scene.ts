import type { Attempt, Balancer } from '../balancer/balancer.ts';
import { LocalNodeLoad } from '../upstream/local-node-load.ts';
import type { UpstreamNode } from '../upstream/upstream-node.ts';

export interface SceneNode extends UpstreamNode {
  readonly load: LocalNodeLoad;
}

export interface SceneNodeOptions {
  readonly weight?: number;
  readonly priority?: number;
  readonly isHealthy?: boolean;
  /** Sessions it has already. */
  readonly active?: number;
  /** What its connections took so far. Milliseconds; absent is none yet. */
  readonly connectMs?: number;
  /** Default: a clock that stands still. */
  readonly nowMs?: () => number;
}

/** A node to balance in a test: weight 1, priority 0, healthy and idle unless said otherwise. */
export function sceneNode(
  address: string,
  {
    weight = 1,
    priority = 0,
    isHealthy = true,
    active = 0,
    connectMs,
    nowMs = () => 0,
  }: SceneNodeOptions = {},
): SceneNode {
  const load = new LocalNodeLoad({ nowMs });
  load.isHealthy = isHealthy;
  for (let count = 0; count < active; count++) load.begin();
  if (connectMs !== undefined) load.connected(connectMs);
  return { host: address, address, port: 1995, weight, priority, load };
}

/** The first attempt of a session, or one after the nodes that were tried. */
export function attempt(tried: readonly UpstreamNode[] = [], key?: string): Attempt {
  return { tried: new Set(tried), key };
}

/** What a balancer over these nodes picks. */
export function pickFrom(
  nodes: readonly SceneNode[],
  balancer: Balancer,
  asked: Attempt = attempt(),
): SceneNode | undefined {
  const picked = balancer.pick(asked);
  return nodes.find((node) => node === picked);
}

/** Random numbers that are the same in every run (the minimal standard generator of Park and Miller). */
export function createSeededRandom(seed = 1): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 0x7fffffff;
    return state / 0x7fffffff;
  };
}

/**
 * The nodes that an attempt may be given, by the rules alone: healthy ones while there are any, of the highest priority
 * that has one untried; weight 0 only where there is nothing else, or, as a last resort, once the others were tried.
 */
export function usableNodes(
  nodes: readonly SceneNode[],
  tried: ReadonlySet<UpstreamNode>,
  isWeightlessLastResort: boolean,
): readonly SceneNode[] {
  const healthy = nodes.filter((node) => node.load.isHealthy);
  const inPlay = healthy.length > 0 ? healthy : nodes;
  for (const priority of [...new Set(inPlay.map((node) => node.priority))].sort((a, b) => b - a)) {
    const tier = inPlay.filter((node) => node.priority === priority);
    const weighted = tier.filter((node) => node.weight > 0);
    const untried = (weighted.length > 0 ? weighted : tier).filter((node) => !tried.has(node));
    if (untried.length > 0) return untried;
    const reserve = isWeightlessLastResort ? tier.filter((node) => !tried.has(node)) : [];
    if (reserve.length > 0) return reserve;
  }
  return [];
}
