export { systemClock } from './clock.ts';
export type { Clock } from './clock.ts';
export { followStore } from './follow-store.ts';
export type { FollowOptions, FollowState } from './follow-store.ts';
export { watchHistory } from './history.ts';
export type { History } from './history.ts';
export { createMemoryStore } from './memory-store.ts';
export type { MemoryStore, MemoryStoreOptions } from './memory-store.ts';
export { storeCompacted, storeConflict, storeRewound } from './store-errors.ts';
export { checkTtl, compareKeys } from './store-keys.ts';
export type {
  PutOptions,
  PutResult,
  Revision,
  Store,
  StoreChange,
  StoreEntry,
  StoreEvent,
  StoreSnapshot,
  StoreWriter,
} from './store.ts';
