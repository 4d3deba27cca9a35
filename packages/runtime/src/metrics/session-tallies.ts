import type { SessionReason } from '../data-plane/session-reason.ts';
import type { VariableSource } from '../variables/variable-source.ts';
import { compileVariable } from '../variables/variables.ts';
import type { Variable } from '../variables/variables.ts';
import { streamCodeOf } from './stream-code.ts';

/** Numbers of ended sessions; both keys are texts, so that they cross threads as they are. */
export interface SessionTally {
  /** By the route's id, empty: there was none; `routeLabels` reads it. */
  readonly routes: ReadonlyMap<string, number>;
  /** By code, listener and node; `statusLabels` reads it. */
  readonly statuses: ReadonlyMap<string, number>;
}

/** Variables whose values sessions are counted by too, by their names. */
export interface TallyVariables {
  readonly routes: readonly string[];
  readonly statuses: readonly string[];
}

const NO_VARIABLES: TallyVariables = { routes: [], statuses: [] };

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
  readonly #routeVariables: readonly Variable[];
  readonly #statusVariables: readonly Variable[];
  #routes = new Map<string, number>();
  #statuses = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  /** @param onDue something has been untold for a second: `take` it. */
  constructor(onDue: () => void, { routes, statuses }: TallyVariables = NO_VARIABLES) {
    this.#onDue = onDue;
    this.#routeVariables = routes.map(compileVariable);
    this.#statusVariables = statuses.map(compileVariable);
  }

  /** Are variables read of the sessions that are counted? */
  get readsVariables(): boolean {
    return this.#routeVariables.length + this.#statusVariables.length > 0;
  }

  /**
   * @param node the endpoint of the last attempt.
   * @param pluginStatus what a plugin refused the session with; undefined: none did.
   */
  count(
    session: VariableSource,
    reason: SessionReason,
    node: string | undefined,
    pluginStatus?: number,
  ): void {
    const code = streamCodeOf(reason, pluginStatus);
    const status = `${code}\n${session.listenerName}\n${node ?? ''}`;
    add(this.#routes, withValues(session.route?.id ?? '', session, this.#routeVariables));
    add(this.#statuses, withValues(status, session, this.#statusVariables));
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

function withValues(key: string, session: VariableSource, variables: readonly Variable[]): string {
  let text = key;
  for (const read of variables) text += `\n${String(read(session) ?? '').replaceAll('\n', ' ')}`;
  return text;
}

/** What a key of `routes` says. */
export function routeLabels(key: string): readonly [route: string, values: readonly string[]] {
  const [route = '', ...values] = key.split('\n');
  return [route, values];
}

/** What a key of `statuses` says. */
export function statusLabels(key: string): readonly [labels: StatusLabels, values: readonly string[]] {
  const [code = '', listener = '', node = '', ...values] = key.split('\n');
  return [{ code, listener, node }, values];
}
