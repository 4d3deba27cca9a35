import type { Log, LogLevel } from '../log.ts';
import type { SessionReason } from './session-reason.ts';

/** How long one kind of failure is only counted after it was logged. Milliseconds. */
const QUIET_MS = 1000;
/** Kinds of failures that are remembered. Beyond it the oldest is forgotten, and may be logged again early. */
const MOST_KINDS = 1000;

/** What of a failed session is worth a line. */
export interface SessionFailure {
  readonly reason: SessionReason;
  readonly listener: string;
  readonly route?: string | undefined;
  readonly node?: string | undefined;
  /** The address of this machine that was connected from, where one is configured. */
  readonly source?: string | undefined;
  readonly client?: string | undefined;
  readonly errno?: string | undefined;
  readonly plugin?: string | undefined;
  /** What a plugin refused it with, and why. */
  readonly status?: number | undefined;
  readonly why?: string | undefined;
}

const LEVELS: Partial<Record<SessionReason, LogLevel>> = {
  LISTENER_FULL: 'warn',
  LISTENER_RATE_EXCEEDED: 'warn',
  PLUGIN_REFUSED: 'warn',
  UPSTREAM_FULL: 'warn',
  UPSTREAM_QUEUE_TIMEOUT: 'warn',
  ROUTE_NOT_FOUND: 'info',
  DOWNSTREAM_RESET: 'info',
  DOWNSTREAM_LOST: 'info',
  PROXY_HEADER_MISSING: 'warn',
  PROXY_HEADER_MALFORMED: 'warn',
  PROXY_HEADER_TIMEOUT: 'info',
  CLIENT_HELLO_MALFORMED: 'info',
  CLIENT_HELLO_TIMEOUT: 'info',
  TLS_NAME_UNKNOWN: 'warn',
  TLS_CLIENT_CERTIFICATE_INVALID: 'warn',
  TLS_HANDSHAKE_FAILED: 'info',
  TLS_HANDSHAKE_TIMEOUT: 'info',
  SESSION_IDLE_TIMEOUT: 'info',
  SESSION_EVICTED: 'warn',
  SESSION_CLOSED_BY_HEALTH_CHECK: 'warn',
  SESSION_CLOSED_BY_SHUTDOWN: 'info',
};

/**
 * Logs why sessions fail without letting a storm of failures fill the disk: of one kind (reason, listener, route,
 * node and plugin) the first is logged at once, and the next a second later at the earliest, with the number in between.
 */
export class FailureLog {
  readonly #log: Log;
  readonly #nowMs: () => number;
  readonly #kinds = new Map<string, { untilMs: number; unlogged: number }>();

  constructor(log: Log, nowMs: () => number) {
    this.#log = log;
    this.#nowMs = nowMs;
  }

  add(failure: SessionFailure): void {
    const { reason, listener, route, node, plugin } = failure;
    const key = `${reason} ${listener} ${route} ${node} ${plugin}`;
    const nowMs = this.#nowMs();
    const kind = this.#kinds.get(key);
    if (kind !== undefined && nowMs < kind.untilMs) {
      kind.unlogged += 1;
      return;
    }
    this.#kinds.delete(key);
    this.#kinds.set(key, { untilMs: nowMs + QUIET_MS, unlogged: 0 });
    const [oldest] = this.#kinds.keys();
    if (this.#kinds.size > MOST_KINDS && oldest !== undefined) this.#kinds.delete(oldest);

    const level = LEVELS[reason] ?? 'error';
    const alike = kind === undefined || kind.unlogged === 0 ? undefined : kind.unlogged;
    this.#log(level, 'a session failed', { code: reason, ...failure, reason: undefined, also_failed: alike });
  }
}
