import type { BalancerKind } from './balancer.ts';
import { roundRobin } from './round-robin.ts';

/** Every way of balancing there is. Adding one: its file, its test, its line here, its page in docs/balancers. */
export const balancerKinds: readonly BalancerKind[] = [roundRobin];

export type { Attempt, Balancer, BalancerKind, BalancerOptions } from './balancer.ts';
export { roundRobin } from './round-robin.ts';
export { createTiers } from './tiers.ts';
