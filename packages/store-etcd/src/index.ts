export { etcdOptions } from './etcd-options.ts';
export type { EtcdOptions, EtcdSettings, EtcdTlsOptions } from './etcd-options.ts';
export { openEtcdStore } from './etcd-store.ts';
export type { EtcdStoreDependencies } from './etcd-store.ts';
export { initEtcd } from './init-etcd.ts';
export type { InitEtcdReport, InitEtcdResult } from './init-etcd.ts';
