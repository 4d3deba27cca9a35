export { openEmbeddedStore } from './embedded-store.ts';
export type { EmbeddedStore, EmbeddedStoreOptions } from './embedded-store.ts';
