import type { BalancerKind } from './balancer.ts';
import { chash } from './chash.ts';
import { ewma } from './ewma.ts';
import { leastConn } from './least-conn.ts';
import { random } from './random.ts';
import { roundRobin } from './round-robin.ts';

/** Every way of balancing there is. Adding one: its file, its test, its line here, its page in docs/balancers. */
export const balancerKinds: readonly BalancerKind[] = [roundRobin, chash, leastConn, ewma, random];

export type { Attempt, Balancer, BalancerKind, BalancerOptions } from './balancer.ts';
export { chash } from './chash.ts';
export { ewma } from './ewma.ts';
export { leastConn } from './least-conn.ts';
export { random } from './random.ts';
export { roundRobin } from './round-robin.ts';
export { createTiers } from './tiers.ts';
