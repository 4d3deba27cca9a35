import { codes } from './codes.ts';
import type { CodeFacts, ErrorCode } from './codes.ts';

export interface GatewayErrorOptions {
  /** The foreign error this one explains. */
  readonly cause?: unknown;
  /** Facts for the log. They never reach a client. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** The one error class. Callers test `error.code`, never the text. */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly detail: Readonly<Record<string, unknown>>;

  /** @param message one sentence: what was expected, what was found, for which resource or peer. */
  constructor(code: ErrorCode, message: string, options: GatewayErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = 'GatewayError';
    this.code = code;
    this.detail = options.detail ?? {};
  }

  get facts(): CodeFacts {
    return codes[this.code];
  }
}

/** Is this a GatewayError, of this code if one is given? */
export function isGatewayError(error: unknown, code?: ErrorCode): error is GatewayError {
  return error instanceof GatewayError && (code === undefined || error.code === code);
}
