import type { SessionReason } from '../data-plane/session-reason.ts';
import { streamCodeOf } from './stream-code.ts';

/** Numbers of ended sessions; both keys are texts, so that they cross threads as they are. */
export interface SessionTally {
  /** By the route's id; empty: there was none. */
  readonly routes: ReadonlyMap<string, number>;
  /** By `statusKey`. */
  readonly statuses: ReadonlyMap<string, number>;
}

export interface StatusLabels {
  readonly code: string;
  readonly listener: string;
  /** `192.0.2.1:3306`; empty: none was tried. */
  readonly node: string;
}

/** How often a worker tells while sessions end. What it counted since is lost if it dies. Milliseconds. */
const TELL_MS = 1000;

/**
 * Ended sessions of a worker by route, and by code, listener and node. There are too many such series for shared memory:
 * they are told now and then, and added up by the main thread. What was told is forgotten here, so nothing is told twice.
 */
export class SessionTallies {
  readonly #onDue: () => void;
  #routes = new Map<string, number>();
  #statuses = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  /** @param onDue something has been untold for a second: `take` it. */
  constructor(onDue: () => void) {
    this.#onDue = onDue;
  }

  /** @param pluginStatus what a plugin refused the session with; undefined: none did. */
  count(
    reason: SessionReason,
    route: string | undefined,
    listener: string,
    node: string | undefined,
    pluginStatus?: number,
  ): void {
    add(this.#routes, route ?? '');
    add(this.#statuses, statusKey(streamCodeOf(reason, pluginStatus), listener, node ?? ''));
    this.#timer ??= setTimeout(() => this.#onDue(), TELL_MS).unref();
  }

  /** What was counted since the last time; it is the caller's from now on. */
  take(): SessionTally {
    const taken = { routes: this.#routes, statuses: this.#statuses };
    this.#routes = new Map();
    this.#statuses = new Map();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    return taken;
  }
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function statusKey(code: number, listener: string, node: string): string {
  return `${code}\n${listener}\n${node}`;
}

/** What a key of `statuses` says. */
export function statusLabels(key: string): StatusLabels {
  const [code = '', listener = '', node = ''] = key.split('\n');
  return { code, listener, node };
}
