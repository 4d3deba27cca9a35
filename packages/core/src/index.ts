export { parseCidr, parseIp } from './address/ip.ts';
export type { Cidr, Ip } from './address/ip.ts';
export { balancerKinds, createTiers, roundRobin } from './balancer/index.ts';
export type { Attempt, Balancer, BalancerKind, BalancerOptions } from './balancer/index.ts';
export type { StreamMatch } from './router/stream-match.ts';
export { StreamRouter } from './router/stream-router.ts';
export type { StreamFacts } from './router/stream-router.ts';
export type { UpstreamNode } from './upstream/upstream-node.ts';
export type { Wire, WireError, WireHandler } from './pipe/wire.ts';
