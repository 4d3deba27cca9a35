export type { FoundSecret, SecretWatcherOptions } from './secret-watcher.ts';
export { SecretWatcher } from './secret-watcher.ts';
export type { ManagerConfig, Secret, SecretSource, SecretSourceKind, Surroundings } from './secret-source.ts';
