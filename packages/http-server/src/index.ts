export type { BrokenRequest } from './broken-request.ts';
export { clientAddress } from './client-address.ts';
export { createHttpServer } from './http-server.ts';
export type { HttpServer, HttpServerOptions } from './http-server.ts';
export type { HttpLimits } from './limits.ts';
export { clientCertificateFault } from './tls.ts';
export type { ServerTls } from './tls.ts';
