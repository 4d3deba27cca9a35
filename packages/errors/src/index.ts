export { codes, isErrorCode } from './codes.ts';
export type { CodeFacts, ErrorCode, ErrorSide } from './codes.ts';
export { GatewayError, isGatewayError } from './gateway-error.ts';
export type { GatewayErrorOptions } from './gateway-error.ts';
export { listenError } from './listen-error.ts';
