import type { SessionBytes } from '../shared-counters.ts';
import type { SessionSpans } from '../tracing/session-spans.ts';
import type { SessionEnding, VariableSource } from '../variables/variable-source.ts';
import type { OpenSession } from './open-session.ts';
import type { CompiledRoute } from './routing-table.ts';
import type { SessionContext } from './session-context.ts';
import type { Refusal, SessionPlugins } from './session-plugins.ts';
import { statusOf } from './session-reason.ts';
import type { SessionReason } from './session-reason.ts';
import { describeNode } from './upstream.ts';
import type { WorkerNode } from './upstream.ts';

/** A session as its account sees it. */
export interface AccountedSession extends VariableSource, OpenSession {
  readonly route: CompiledRoute | undefined;
  readonly attemptedNode: WorkerNode | undefined;
  /** What it moved until now. */
  readonly bytes: SessionBytes;
}

/** Where sessions are accounted for. */
export type AccountContext = Pick<
  SessionContext,
  'counters' | 'tallies' | 'failures' | 'accessLog' | 'tracing' | 'nowMs' | 'onOpened' | 'onEnded'
>;

/** What is told of one session, from its first moment to its last: counters, failures, spans, the line in the log. */
export class SessionAccount {
  readonly startedMs: number;
  readonly #session: AccountedSession;
  /** Of its listener. */
  readonly #slot: number;
  readonly #context: AccountContext;
  #number = 0;
  /** Absent unless it is traced. */
  #spans: SessionSpans | undefined;
  /** What it moved when somebody last asked; undefined: nobody did. */
  #counted: SessionBytes | undefined;
  #ending: SessionEnding | undefined;
  /** By the context's clock, where there is an ending. */
  #endedMs = 0;
  /** How a plugin refused it; undefined: none did. */
  refusal: Refusal | undefined;

  constructor(session: AccountedSession, slot: number, context: AccountContext) {
    this.#session = session;
    this.#slot = slot;
    this.#context = context;
    this.startedMs = context.nowMs();
  }

  get number(): number {
    return this.#number;
  }

  get spans(): SessionSpans | undefined {
    return this.#spans;
  }

  /** Undefined also of one that is over, where nobody reads it. */
  get ending(): SessionEnding | undefined {
    return this.#ending;
  }

  /** The end, or now. By the context's clock. */
  get lastMs(): number {
    return this.#ending === undefined ? this.#context.nowMs() : this.#endedMs;
  }

  get durationMs(): number {
    return this.lastMs - this.startedMs;
  }

  /** Makes it one of the open sessions. */
  open(): void {
    const { counters, tracing, onOpened } = this.#context;
    this.#number = counters.sessionOpened(this.#slot);
    onOpened(this.#session);
    this.#spans = tracing?.begin(this.#session);
  }

  /** Counts what it moved since it was last counted. */
  countProgress(): void {
    const { bytes } = this.#session;
    this.#context.counters.sessionMoved(this.#slot, bytes, this.#counted);
    this.#counted = bytes;
  }

  /** @param source the address of this machine that was connected from, where one is configured. */
  report(reason: SessionReason, errno: string | undefined, source?: string): void {
    const { listenerName, route, attemptedNode, remoteAddress } = this.#session;
    this.#context.failures.add({
      reason,
      errno,
      listener: listenerName,
      route: route?.id,
      node: attemptedNode && describeNode(attemptedNode),
      source,
      client: remoteAddress,
      ...this.refusal,
    });
  }

  /** It is over. @param plugins of its route, that may want to hear of it. */
  end(reason: SessionReason, plugins: SessionPlugins | undefined): void {
    const { counters, tallies, onEnded } = this.#context;
    const session = this.#session;
    onEnded(session);
    counters.sessionEnded(this.#slot, reason, session.bytes, this.#counted);
    this.#record(reason, plugins);
    tallies.count(session, reason, session.attemptedNode?.endpoint, this.refusal?.status);
    this.#spans?.ended(reason, session.bytesReceived, session.bytesSent);
  }

  #record(reason: SessionReason, plugins: SessionPlugins | undefined): void {
    const { accessLog, tallies, nowMs } = this.#context;
    if (accessLog === undefined && plugins === undefined && !tallies.readsVariables) return;
    this.#endedMs = nowMs();
    this.#ending = { reason, status: this.refusal?.status ?? statusOf(reason), atMs: Date.now() };
    accessLog?.(this.#session);
    plugins?.end();
  }
}
