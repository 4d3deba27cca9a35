export { createManualClock } from './manual-clock.ts';
export type { ManualClock } from './manual-clock.ts';
export { testStore } from './store.ts';
export type { OpenedStore, OpenStore, StoreDisturbances } from './store-subject.ts';
export { testPairs } from './test-pairs.ts';
export type { TestPair } from './test-pairs.ts';
