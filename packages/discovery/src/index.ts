export type { Clock } from './clock.ts';
export { createDnsLookup } from './dns-lookup.ts';
export type { DnsLookupOptions } from './dns-lookup.ts';
export type { Answer, Lookup } from './lookup.ts';
export { NameWatcher } from './name-watcher.ts';
export type { NameWatcherOptions } from './name-watcher.ts';
export { createServiceLookup } from './service-lookup.ts';
export type { Endpoint, ServiceLookupOptions, ServiceOrder } from './service-lookup.ts';
