export { openFileStore } from './file-store.ts';
export type { FileLog, FileStoreOptions } from './file-store.ts';
