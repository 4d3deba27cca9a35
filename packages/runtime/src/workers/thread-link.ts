import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import type { Revision } from '@apisix-ts/config';
import { GatewayError } from '@apisix-ts/errors';
import type { FactChange } from '../facts/facts.ts';
import type { Drain } from './drain.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import type { AnswerTo, QuestionName, QuestionOf } from './questions.ts';
import type { ListenerSpec, NodeIdentity, WorkerEvents, WorkerLink, WorkerOptions } from './worker-link.ts';
import { startThread } from './worker-program.ts';
import type { WorkerProgram } from './worker-program.ts';

interface Call {
  readonly resolve: (answer?: unknown) => void;
  readonly reject: (error: GatewayError) => void;
}

/** A worker in a thread of its own. */
export class ThreadLink implements WorkerLink {
  readonly index: number;
  readonly #thread: Worker;
  readonly #events: WorkerEvents;
  readonly #calls = new Map<number, Call>();
  #lastCall = 0;
  #isStopping = false;
  #hasEnded = false;

  /** @returns a link whose thread runs. Rejects with `WORKER_DIED` when it did not come up. */
  static async start(
    options: WorkerOptions,
    events: WorkerEvents,
    program?: WorkerProgram,
  ): Promise<ThreadLink> {
    const thread = startThread(options, program);
    try {
      await once(thread, 'online');
    } catch (error) {
      throw died(options.index, error);
    }
    return new ThreadLink(options.index, thread, events);
  }

  private constructor(index: number, thread: Worker, events: WorkerEvents) {
    this.index = index;
    this.#thread = thread;
    this.#events = events;
    let failure: unknown;
    thread.on('message', (message: FromWorker) => this.#receive(message));
    thread.on('error', (error) => (failure = error));
    thread.on('exit', (status) => this.#onExit(failure ?? `exit status ${status}`));
  }

  apply(revision: Revision, changes: readonly FactChange[], isLastPart: boolean): void {
    this.#send({ type: 'apply', revision, changes, isLastPart });
  }

  async settled(): Promise<void> {
    if (this.#hasEnded) return;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const call = ++this.#lastCall;
    this.#calls.set(call, { resolve, reject: resolve });
    this.#send({ type: 'settle', call });
    await promise;
  }

  setTicketKeys(keys: readonly Uint8Array[]): void {
    this.#send({ type: 'ticket-keys', keys });
  }

  setDrains(drains: readonly Drain[]): void {
    this.#send({ type: 'drains', drains });
  }

  closeSessionsOf(upstreamKey: string, node: NodeIdentity): void {
    this.#send({ type: 'close-sessions', upstreamKey, node });
  }

  listen(listeners: readonly ListenerSpec[]): Promise<void> {
    return this.#tell((call) => ({ type: 'listen', call, listeners }));
  }

  handOver(): Promise<void> {
    return this.#tell((call) => ({ type: 'hand-over', call }));
  }

  drain(graceMs: number): Promise<void> {
    return this.#tell((call) => ({ type: 'drain', call, graceMs }));
  }

  async ask<N extends QuestionName>(name: N, question: QuestionOf<N>): Promise<AnswerTo<N>> {
    const found = this.#isStopping
      ? undefined
      : await this.#call((call) => ({ type: 'ask', call, name, question }));
    if (found === undefined) throw died(this.index, 'it was stopped before it could answer');
    // What comes back under this number is the answer to this question.
    return found as AnswerTo<N>;
  }

  async stop(): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    const exited = once(this.#thread, 'exit');
    await this.#tell((call) => ({ type: 'stop', call }));
    await exited;
  }

  #send(message: ToWorker): void {
    this.#thread.postMessage(message);
  }

  async #tell(toMessage: (call: number) => ToWorker): Promise<void> {
    await this.#call(toMessage);
  }

  #call(toMessage: (call: number) => ToWorker): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const call = ++this.#lastCall;
    this.#calls.set(call, { resolve, reject });
    this.#send(toMessage(call));
    return promise;
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case 'overlaps':
        this.#events.onOverlaps(message.overlaps);
        break;
      case 'log':
        this.#events.onLog(message.level, message.message, message.fields);
        break;
      case 'node-failure':
        this.#events.onNodeFailure(message.upstreamKey, message.node);
        break;
      case 'access':
        this.#events.onAccess(message.lines);
        break;
      case 'tally':
        this.#events.onTally(message.tally);
        break;
      case 'answer':
        this.#calls.get(message.call)?.resolve(message.answer);
        this.#calls.delete(message.call);
        break;
      case 'done': {
        const call = this.#calls.get(message.call);
        this.#calls.delete(message.call);
        if (message.error === undefined) call?.resolve();
        else {
          call?.reject(
            new GatewayError(message.error.code, message.error.message, { detail: message.error.detail }),
          );
        }
        break;
      }
    }
  }

  #onExit(cause: unknown): void {
    this.#hasEnded = true;
    const error = died(this.index, cause);
    for (const call of this.#calls.values()) {
      if (this.#isStopping) call.resolve();
      else call.reject(error);
    }
    this.#calls.clear();
    if (!this.#isStopping) this.#events.onDied(error);
  }
}

function died(index: number, cause: unknown): GatewayError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new GatewayError('WORKER_DIED', `worker ${index} ended unexpectedly: ${reason}`, {
    cause,
    detail: { worker: index },
  });
}
