export { adminKeyPath, adminKeys } from './admin-key.ts';
export { GatewayProcess } from './gateway-process.ts';
export type { GatewayProcessOptions } from './gateway-process.ts';
export { pidFilePath } from './pid-file.ts';
export { readRunRecord } from './run-record.ts';
export type { ReloadRecord, RunRecord } from './run-record.ts';
export { describeStore, openStore } from './stores.ts';
export type { StoreContext } from './stores.ts';
export { version } from './version.ts';
