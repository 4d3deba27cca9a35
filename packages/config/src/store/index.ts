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
