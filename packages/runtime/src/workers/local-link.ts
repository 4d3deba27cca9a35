import type { Revision } from '@apisix-ts/config';
import { DataPlane } from '../data-plane/data-plane.ts';
import type { FactChange } from '../facts/facts.ts';
import type { Drain } from './drain.ts';
import { answer } from './questions.ts';
import type { AnswerTo, QuestionName, QuestionOf } from './questions.ts';
import type { ListenerSpec, NodeIdentity, WorkerEvents, WorkerLink, WorkerOptions } from './worker-link.ts';

/** A data plane in the calling thread: library use, tests, and systems whose threads cannot share a port. */
export class LocalLink implements WorkerLink {
  readonly index: number;
  readonly #events: WorkerEvents;
  readonly #dataPlane: DataPlane;

  constructor(options: WorkerOptions, events: WorkerEvents) {
    this.index = options.index;
    this.#events = events;
    this.#dataPlane = new DataPlane(options, {
      onLog: (level, message, fields) => events.onLog(level, message, fields ?? {}),
      onNodeFailure: (upstreamKey, node) => events.onNodeFailure(upstreamKey, node),
      onAccess: (lines) => events.onAccess(lines),
      onTally: (tally) => events.onTally(tally),
    });
  }

  apply(revision: Revision, changes: readonly FactChange[], isLastPart: boolean): void {
    const overlaps = this.#dataPlane.apply(revision, changes, isLastPart);
    if (overlaps.length > 0) this.#events.onOverlaps(overlaps);
  }

  settled(): Promise<void> {
    return Promise.resolve();
  }

  setTicketKeys(keys: readonly Uint8Array[]): void {
    this.#dataPlane.setTicketKeys(keys);
  }

  setDrains(drains: readonly Drain[]): void {
    this.#dataPlane.setDrains(drains);
  }

  closeSessionsOf(upstreamKey: string, node: NodeIdentity): void {
    this.#dataPlane.closeSessionsOf(upstreamKey, node);
  }

  ask<N extends QuestionName>(name: N, question: QuestionOf<N>): Promise<AnswerTo<N>> {
    return answer(this.#dataPlane.answers, name, question);
  }

  listen(listeners: readonly ListenerSpec[]): Promise<void> {
    return this.#dataPlane.listen(listeners);
  }

  async handOver(): Promise<void> {
    this.#dataPlane.handOver();
  }

  drain(graceMs: number): Promise<void> {
    return this.#dataPlane.drain(graceMs);
  }

  stop(): Promise<void> {
    return this.#dataPlane.close();
  }
}
