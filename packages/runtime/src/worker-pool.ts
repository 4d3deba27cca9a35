import { setTimeout as delay } from 'node:timers/promises';
import { GatewayError, isGatewayError } from '@apisix-ts/errors';
import type { DocumentChange } from '@apisix-ts/config';
import type { Log } from './log.ts';
import type { SessionTally } from './metrics/session-tallies.ts';
import type { Publisher } from './publisher.ts';
import { LocalLink } from './workers/local-link.ts';
import { ThreadLink } from './workers/thread-link.ts';
import type { Drain } from './workers/drain.ts';
import type { AnswerTo, QuestionName, QuestionOf } from './workers/questions.ts';
import type {
  ListenerSpec,
  NodeIdentity,
  WorkerEvents,
  WorkerLink,
  WorkerOptions,
} from './workers/worker-link.ts';
import type { WorkerProgram } from './workers/worker-program.ts';

/** A worker that lived shorter than this before it died is replaced only after this long. Milliseconds. */
const SHORT_LIFE_MS = 1000;

export interface WorkerPoolOptions {
  /** Threads at first; 0 is one data plane in the calling thread. */
  readonly threads: number;
  /** What they run. Default: the program of this package. */
  readonly program?: WorkerProgram | undefined;
  /** Threads that the shared memory has room for. */
  readonly room: number;
  /** Listeners share their ports with those of other workers. */
  readonly reusePort: boolean;
  readonly worker: Omit<WorkerOptions, 'index' | 'reusePort'>;
  readonly publisher: Publisher;
  /** All resources in effect, for a worker that starts late. */
  readonly documents: () => readonly DocumentChange[];
  /** A worker died; its sessions are over. */
  readonly onLost: (worker: number) => void;
  readonly onNodeFailure: (upstreamKey: string, node: NodeIdentity) => void;
  /** Takes lines for the access log. */
  readonly writeAccess: (lines: string) => void;
  /** Takes what a worker tells of sessions that ended. */
  readonly onTally: (tally: SessionTally) => void;
  readonly log: Log;
}

/** The workers of a gateway. One that dies is replaced; its sessions are gone, all others go on. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #links = new Map<number, WorkerLink>();
  #threads: number;
  #listeners: readonly ListenerSpec[] = [];
  #ticketKeys: readonly Uint8Array[];
  #drains: readonly Drain[] = [];
  /** Workers on their way after the start, by their index. */
  readonly #arrivals = new Map<number, Promise<void>>();
  readonly #ending = new AbortController();
  #restarts = 0;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#threads = options.threads;
    this.#ticketKeys = options.worker.ticketKeys;
  }

  get size(): number {
    return this.#links.size;
  }

  /** Workers that died and were replaced. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Threads there are to be. */
  get threads(): number {
    return this.#threads;
  }

  /** Rejects with `WORKER_DIED` when one does not come up. */
  async start(): Promise<void> {
    const indexes = Array.from({ length: Math.max(this.#threads, 1) }, (_, index) => index);
    await Promise.all(indexes.map((index) => this.#startWorker(index)));
  }

  /**
   * Adds workers until there are so many, or as many as there is room for. They take part in the listeners once they have
   * everything. Never fewer: closing a listener that shares its port resets what waits there to be accepted.
   * Rejects with `WORKER_DIED`, or with `LISTENER_*` of a listener that the next `listen` opens.
   */
  async grow(threads: number): Promise<void> {
    const { room, reusePort } = this.#options;
    if (this.#threads === 0 || !reusePort) return;
    while (this.#threads < Math.min(threads, room)) {
      const index = this.#threads;
      this.#threads += 1;
      const joining = this.#join(index);
      this.#await(
        index,
        joining.catch(() => {
          // Told to whoever asked for it.
        }),
      );
      await joining;
    }
  }

  /** For every worker, also one that starts later. */
  setTicketKeys(keys: readonly Uint8Array[]): void {
    this.#ticketKeys = keys;
    for (const link of this.#links.values()) link.setTicketKeys(keys);
  }

  /** For every worker, also one that starts later. */
  setDrains(drains: readonly Drain[]): void {
    this.#drains = drains;
    for (const link of this.#links.values()) link.setDrains(drains);
  }

  /** Closes the sessions that every worker has to a node that became unhealthy. */
  closeSessionsOf(upstreamKey: string, { host, address, port }: NodeIdentity): void {
    for (const link of this.#links.values()) link.closeSessionsOf(upstreamKey, { host, address, port });
  }

  /** Asks one worker, whichever; all serve the same. Rejects with `WORKER_DIED`, also when there is none. */
  async ask<N extends QuestionName>(name: N, question: QuestionOf<N>): Promise<AnswerTo<N>> {
    const [link] = this.#links.values();
    if (link === undefined) {
      throw new GatewayError(
        'WORKER_DIED',
        'expected a worker to ask, found none: they are starting or ending',
      );
    }
    return link.ask(name, question);
  }

  /**
   * Asks every worker; one that ends meanwhile does not answer.
   * @param onAnswer called as each answers. @returns settles when all have.
   */
  async askAll<N extends QuestionName>(
    name: N,
    question: QuestionOf<N>,
    onAnswer: (worker: number, answer: AnswerTo<N>) => void,
  ): Promise<void> {
    const asked = [...this.#links].map(async ([index, link]) =>
      onAnswer(index, await link.ask(name, question)),
    );
    for (const outcome of await Promise.allSettled(asked)) {
      if (outcome.status === 'rejected' && !isGatewayError(outcome.reason)) throw outcome.reason;
    }
  }

  /**
   * Makes these the listeners of every worker. Rejects with the first `LISTENER_*` error.
   * @param inherited sockets of another process, by the names of listeners: they are dealt out among the workers.
   */
  async listen(
    listeners: readonly ListenerSpec[],
    inherited: ReadonlyMap<string, readonly number[]> = new Map(),
  ): Promise<void> {
    this.#listeners = listeners;
    const count = this.#links.size;
    await this.#all((link) =>
      link.listen(
        listeners.map((spec) => {
          const mine = inherited.get(spec.name)?.filter((_, place) => place % count === link.index) ?? [];
          return mine.length === 0 ? spec : { ...spec, inherited: mine };
        }),
      ),
    );
  }

  /** The sockets of all listeners for connections, of every worker. Descriptors, by the listeners' names. */
  async sockets(): Promise<ReadonlyMap<string, readonly number[]>> {
    const sockets = new Map<string, number[]>();
    await this.askAll('sockets', undefined, (_, answer) => {
      for (const [name, mine] of answer) sockets.set(name, [...(sockets.get(name) ?? []), ...mine]);
    });
    return sockets;
  }

  /** Closes all listeners, whose sockets another process goes on with. */
  async handOver(): Promise<void> {
    this.#listeners = [];
    await this.#all((link) => link.handOver());
  }

  /** Stops listening and waits for the sessions, for at most `graceMs`; 0 is for ever. */
  async drain(graceMs: number): Promise<void> {
    this.#listeners = [];
    await this.#all((link) => link.drain(graceMs));
  }

  /** Settles when no worker is on its way. */
  async settled(): Promise<void> {
    while (this.#arrivals.size > 0) await Promise.all(this.#arrivals.values());
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.settled();
    await this.#all((link) => link.stop());
  }

  async #all(work: (link: WorkerLink) => Promise<void>): Promise<void> {
    const outcomes = await Promise.allSettled([...this.#links.values()].map(work));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  async #startWorker(index: number): Promise<void> {
    const { reusePort, program, worker, publisher, documents, log } = this.#options;
    const { onNodeFailure, writeAccess, onTally } = this.#options;
    const startedAt = Date.now();
    const events: WorkerEvents = {
      onOverlaps: (overlaps) => publisher.reportOverlaps(index, overlaps),
      onLog: log,
      onNodeFailure,
      onAccess: writeAccess,
      onTally,
      onDied: (error) => this.#onDied(index, error, Date.now() - startedAt),
    };
    const options: WorkerOptions = { ...worker, ticketKeys: this.#ticketKeys, index, reusePort };
    const link =
      this.#threads === 0 ? new LocalLink(options, events) : await ThreadLink.start(options, events, program);
    this.#links.set(index, link);
    if (this.#drains.length > 0) link.setDrains(this.#drains);
    publisher.add(link, documents());
  }

  /** Starts a worker beside others that serve. It gets connections when it knows what they know. */
  async #join(index: number): Promise<void> {
    await this.#startWorker(index);
    await this.#options.publisher.whenCurrent(index);
    await this.#links.get(index)?.listen(this.#listeners);
  }

  #onDied(index: number, error: GatewayError, livedMs: number): void {
    this.#options.log('error', 'a worker died; its sessions are lost and it is being replaced', {
      code: error.code,
      worker: index,
      reason: error.message,
    });
    this.#links.delete(index);
    this.#options.publisher.remove(index);
    this.#options.onLost(index);
    this.#await(index, this.#replace(index, livedMs < SHORT_LIFE_MS ? SHORT_LIFE_MS : 0));
  }

  /** @param arrival settles when the worker is there, or will not come; never rejects. */
  #await(index: number, arrival: Promise<void>): void {
    const awaited = arrival.then(() => {
      if (this.#arrivals.get(index) === awaited) this.#arrivals.delete(index);
    });
    this.#arrivals.set(index, awaited);
  }

  async #replace(index: number, pauseMs: number): Promise<void> {
    const { signal } = this.#ending;
    try {
      await delay(pauseMs, undefined, { signal });
      await this.#join(index);
      this.#restarts += 1;
    } catch (error) {
      // A thread that came up and died again has its own replacement. Anything else leaves the others serving.
      if (!signal.aborted) {
        this.#options.log('error', 'a worker could not be replaced', {
          worker: index,
          reason: error instanceof Error ? error.message : String(error),
        });
      }
    }
  }
}
