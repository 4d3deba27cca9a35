export type { AdminKey } from './auth.ts';
export type { AdminLog, HttpLimits, HttpServer } from './http-server.ts';
export type { PluginFacts, Subsystem } from './plugin-facts.ts';
export { createAdminServer } from './server.ts';
export type { AdminServerOptions } from './server.ts';
