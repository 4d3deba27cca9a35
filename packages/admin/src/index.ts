export type { AdminKey } from './auth.ts';
export type { AdminLog } from './http-server.ts';
export type { PluginFacts, Subsystem } from './plugin-facts.ts';
export type { AdminRequestRecord } from './request-record.ts';
export { createAdminServer } from './server.ts';
export type { AdminServerOptions } from './server.ts';
