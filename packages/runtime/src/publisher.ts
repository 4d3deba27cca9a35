import { setTimeout as delay } from 'node:timers/promises';
import type { DocumentBatch, DocumentChange, Revision } from '@apisix-ts/config';
import type { Overlap } from './data-plane/routing-table.ts';
import type { NameKind } from './facts/compile.ts';
import type { FactCompiler } from './facts/compiler.ts';
import type { FactChange } from './facts/facts.ts';
import type { Log } from './log.ts';
import type { SharedProgress } from './shared-progress.ts';
import type { WorkerLink } from './workers/worker-link.ts';

/** Facts in one message to a worker: reading a large load must not keep it from its sessions for long. */
const FACTS_PER_PART = 2000;
/** How long a change waits for the first answers for names and secrets it brings. Then it is published without them. */
const PATIENCE_MS = 1000;
/** Pairs of routes that overlap, one line each, for one change. */
const OVERLAPS_LOGGED = 20;

interface Recipient {
  readonly link: WorkerLink;
  /** To be called when it has all that there was when it came, or is gone. */
  readonly onCurrent: () => void;
  readonly current: Promise<void>;
  isCurrent: boolean;
}

/** Hands changes to the workers, in order, and knows what is in effect where. */
export class Publisher {
  readonly #compiler: FactCompiler;
  readonly #progress: SharedProgress;
  readonly #log: Log;
  readonly #recipients = new Map<number, Recipient>();
  #waiting: { readonly revision: Revision; readonly resolve: () => void }[] = [];
  #queue: Promise<void> | undefined;
  #revision: Revision = 0;
  /** What every worker has in effect, and since when. */
  #applied: Revision = 0;
  #appliedAtMs: number | undefined;

  constructor(compiler: FactCompiler, progress: SharedProgress, log: Log) {
    this.#compiler = compiler;
    this.#progress = progress;
    this.#log = log;
  }

  /** The revision in effect in each worker, by its index. */
  get revisions(): ReadonlyMap<number, Revision> {
    return new Map(Array.from(this.#recipients.keys(), (index) => [index, this.#progress.revisionOf(index)]));
  }

  /** When a later revision than before took effect in every worker. Milliseconds since 1970; undefined: none did yet. */
  get appliedAtMs(): number | undefined {
    this.#look();
    return this.#appliedAtMs;
  }

  /** Publishes a batch after everything before it, without delay unless names or secrets have to be looked up first. */
  publish(batch: DocumentBatch): void {
    const firstAnswers = this.#compiler.adopt(batch.changes);
    this.#enqueue(firstAnswers, () => {
      this.#revision = batch.revision;
      return this.#send(this.#recipients.values(), this.#compiler.compileBatch(batch.changes));
    });
  }

  /** Publishes the new addresses of a name. */
  publishName(kind: NameKind, name: string): void {
    this.#enqueue(undefined, () =>
      this.#send(this.#recipients.values(), this.#compiler.compileUsersOf(kind, name)),
    );
  }

  /** Publishes what these references to secrets stand for now. */
  publishSecrets(references: readonly string[]): void {
    this.#enqueue(undefined, () =>
      this.#send(this.#recipients.values(), this.#compiler.compileUsersOfSecrets(references)),
    );
  }

  /** Makes a worker a recipient, beginning with all there is. */
  add(link: WorkerLink, documents: readonly DocumentChange[]): void {
    const { promise: current, resolve: onCurrent } = Promise.withResolvers<void>();
    const recipient: Recipient = { link, onCurrent, current, isCurrent: false };
    this.#progress.reset(link.index);
    this.#recipients.set(link.index, recipient);
    this.#enqueue(undefined, () => this.#send([recipient], this.#compiler.compile(documents)));
  }

  /** Settles when a worker has in effect all that there was when it was added; without it, it would route on the half. */
  async whenCurrent(index: number): Promise<void> {
    await this.#recipients.get(index)?.current;
  }

  remove(index: number): void {
    // Before another one has its place.
    this.#look();
    this.#recipients.get(index)?.onCurrent();
    this.#recipients.delete(index);
    this.#look();
  }

  /** To be told what a worker found. All find the same, so one of them is listened to. */
  reportOverlaps(index: number, overlaps: readonly Overlap[]): void {
    if (index !== Math.min(...this.#recipients.keys())) return;
    for (const { winner, shadowed } of overlaps.slice(0, OVERLAPS_LOGGED)) {
      this.#log('warn', 'two stream routes have the same conditions and priority; one never serves', {
        serving: winner,
        never_serving: shadowed,
      });
    }
    const more = overlaps.length - OVERLAPS_LOGGED;
    if (more > 0) this.#log('warn', 'more stream routes of this change never serve', { count: more });
  }

  /** Settles when all that was published is on its way to the workers. */
  async whenSent(): Promise<void> {
    await this.#queue;
  }

  /** Settles when every worker has all that was published until now in effect. */
  async whenTaken(): Promise<void> {
    await this.#queue;
    await Promise.all(Array.from(this.#recipients.values(), ({ link }) => link.settled()));
  }

  /** Settles when every worker has this revision or a later one in effect; rejects when `signal` aborts before. */
  whenApplied(revision: Revision, signal?: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter = { revision, resolve };
    this.#waiting.push(waiter);
    signal?.addEventListener('abort', () => {
      this.#waiting = this.#waiting.filter((other) => other !== waiter);
      reject(signal.reason);
    });
    if (this.#look() < revision) this.#lookAfter(this.#recipients.values());
    return promise;
  }

  /** Sends now if nothing is before it, else in its turn. @param send is settled when all has been sent. */
  #enqueue(ready: Promise<unknown> | undefined, send: () => Promise<void> | undefined): void {
    if (ready === undefined && this.#queue === undefined) {
      const rest = send();
      if (rest !== undefined) this.#hold(rest);
      return;
    }
    const former = this.#queue ?? Promise.resolve();
    const patience = (): Promise<void> => delay(PATIENCE_MS, undefined, { ref: false });
    this.#hold(former.then(() => ready && Promise.race([ready, patience()])).then(send));
  }

  /** What comes next waits for this. */
  #hold(work: Promise<void>): void {
    const queue = work.then(() => {
      if (this.#queue === queue) this.#queue = undefined;
    });
    this.#queue = queue;
  }

  /**
   * Facts are compiled as they go out, and a part only goes out when the one before the last was taken: neither a large
   * load nor its messages are all in memory at once, and workers have time for their sessions.
   * @returns settles when the last part was sent; undefined when it was sent already.
   */
  #send(recipients: Iterable<Recipient>, facts: Iterable<FactChange>): Promise<void> | undefined {
    const all = [...recipients];
    const revision = this.#revision;
    const rest = facts[Symbol.iterator]();
    let part = takePart(rest);
    let former: Promise<unknown> | undefined;

    const proceed = (): Promise<void> | undefined => {
      for (;;) {
        const next = takePart(rest);
        const isLast = next.length === 0;
        for (const { link } of all) link.apply(revision, part, isLast);
        if (isLast) {
          const isAwaited = this.#waiting.length > 0;
          this.#lookAfter(all.filter(({ isCurrent }) => isAwaited || !isCurrent));
          return undefined;
        }
        part = next;
        const before = former;
        former = Promise.all(all.map(({ link }) => link.settled()));
        if (before !== undefined) return before.then(proceed);
      }
    };
    return proceed();
  }

  /** Looks again when these have taken what they were sent. A worker that nobody waits for is not asked to tell. */
  #lookAfter(recipients: Iterable<Recipient>): void {
    for (const recipient of recipients) {
      void recipient.link.settled().then(() => {
        recipient.isCurrent = true;
        recipient.onCurrent();
        this.#look();
      });
    }
  }

  /** Tells whoever waits for what is in effect by now. @returns the revision that every worker has. */
  #look(): Revision {
    const indexes = [...this.#recipients.keys()];
    if (indexes.length === 0) return this.#applied;
    const applied = Math.min(...indexes.map((index) => this.#progress.revisionOf(index)));
    if (applied > this.#applied) {
      this.#applied = applied;
      const slowest = indexes.filter((index) => this.#progress.revisionOf(index) === applied);
      this.#appliedAtMs = Math.max(...slowest.map((index) => this.#progress.appliedAtMs(index)));
    }
    const reached = this.#waiting.filter(({ revision }) => revision <= applied);
    this.#waiting = this.#waiting.filter(({ revision }) => revision > applied);
    for (const { resolve } of reached) resolve();
    return applied;
  }
}

/** The next facts for one message; none when there are no more. */
function takePart(rest: Iterator<FactChange>): readonly FactChange[] {
  const part: FactChange[] = [];
  while (part.length < FACTS_PER_PART) {
    const next = rest.next();
    if (next.done) break;
    part.push(next.value);
  }
  return part;
}
