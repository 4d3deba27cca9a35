export { testBalancer } from './balancer.ts';
export type { BalancerContract } from './balancer.ts';
export type { ContractPeer } from './peer.ts';
export { testRelay } from './relay.ts';
export type { RelayEnds, RelayHarness, RelayToxic } from './relay-harness.ts';
export { testWires } from './wires.ts';
export type { WirePair } from './wires.ts';
