import {
  createMemoryStore,
  describeProblem,
  parseResourceFile,
  resourceFileUnreadable,
  systemClock,
} from '@apisix-ts/config';
import type {
  Clock,
  MemoryStore,
  Problem,
  ResourceFile,
  ResourceFileOptions,
  Revision,
  Store,
  StoreChange,
  StoreSnapshot,
} from '@apisix-ts/config';
import { isGatewayError } from '@apisix-ts/errors';
import type { GatewayError } from '@apisix-ts/errors';
import { WatchedFile, isSame } from './watched-file.ts';
import type { FileContent } from './watched-file.ts';

export interface FileStoreOptions extends ResourceFileOptions {
  /**
   * How often the file is looked at. Milliseconds from the end of one look to the next, more than a tick of the file
   * system's clock; default 500. A file that changes while it is read is looked at again after a tenth of it.
   */
  readonly intervalMs?: number;
  /** How many changes a watch can be behind before it ends with `STORE_COMPACTED`. Default 1000. */
  readonly historyLength?: number;
  /** What the looks are timed with. Default the system's clock. */
  readonly clock?: Clock;
  /** Is told what becomes of the file. Default: nobody. */
  readonly log?: FileLog;
}

/** A fixed sentence, and the facts beside it. */
export type FileLog = (
  level: 'warn' | 'error',
  message: string,
  fields: Readonly<Record<string, unknown>>,
) => void;

/**
 * Opens the store that is one file, written by somebody else: an `apisix.yaml` or `apisix.json`. It has no writer. An
 * edit of the file is one change, of what differs. While the file is missing, damaged or half written, the last good
 * content stays; so does that of a kind whose list cannot be read. Whether a resource is valid is the reader's to judge.
 *
 * Later looks never reject: what is wrong is logged once for each state of the file.
 * @throws GatewayError `SETTINGS_FILE_UNREADABLE`, `SETTINGS_SYNTAX`, `SETTINGS_VARIABLE_MISSING` when there is no good
 * file to begin with.
 */
export async function openFileStore(options: FileStoreOptions): Promise<Store> {
  const store = new FileStore(options);
  await store.open();
  return store;
}

class FileStore implements Store {
  readonly #options: FileStoreOptions;
  readonly #file: WatchedFile;
  /** Keeps revisions and history. */
  readonly #memory: MemoryStore;
  readonly #clock: Clock;
  readonly #log: FileLog;
  /** The texts in effect by key. */
  #values: ReadonlyMap<string, string> = new Map();
  /** What was judged last. */
  #judged: FileContent | undefined;
  /** The content in effect. */
  #applied: FileContent | undefined;
  /** What is wrong with what was judged last, before it is told. */
  #untold: GatewayError | undefined;
  /** Was a problem told since the last good content? */
  #isFaulty = false;
  #looking: Promise<void> = Promise.resolve();
  /** Did it change while it was read last? */
  #isBusy = false;
  #cancelPoll = (): void => {};
  #isClosed = false;

  constructor(options: FileStoreOptions) {
    const { format, path, historyLength, clock = systemClock, log = () => {} } = options;
    this.#options = options;
    this.#file = new WatchedFile(path);
    this.#memory = createMemoryStore({ name: format, ...(historyLength !== undefined && { historyLength }) });
    this.#clock = clock;
    this.#log = log;
  }

  get name(): string {
    return this.#memory.name;
  }

  /** Rejects when there is no good content to begin with. */
  async open(): Promise<void> {
    for (let attempt = 0; attempt < firstLooks; attempt += 1) {
      await this.#look(false);
      if (this.#untold !== undefined) throw this.#untold;
      if (this.#applied === undefined) continue;
      this.#schedulePoll();
      return;
    }
    throw resourceFileUnreadable(this.#options.path, new Error('it changed whenever it was read'));
  }

  async load(signal: AbortSignal): Promise<StoreSnapshot> {
    signal.throwIfAborted();
    await this.#look(false);
    return this.#memory.load(signal);
  }

  watch(since: Revision, signal: AbortSignal): AsyncIterable<StoreChange> {
    return this.#memory.watch(since, signal);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelPoll();
    await this.#memory.close();
    await this.#looking;
  }

  #schedulePoll(): void {
    if (this.#isClosed) return;
    const { intervalMs = 500 } = this.#options;
    // Whoever writes it is about to be done.
    const delayMs = this.#isBusy ? intervalMs / 10 : intervalMs;
    this.#cancelPoll = this.#clock.after(delayMs, () => void this.#poll());
  }

  async #poll(): Promise<void> {
    await this.#look(true);
    this.#schedulePoll();
  }

  /** One look at a time: what was seen later is judged later. */
  #look(isPoll: boolean): Promise<void> {
    this.#looking = this.#looking.then(async () => {
      if (this.#isClosed) return;
      const sight = await this.#file.look(isPoll);
      this.#isBusy = sight === 'busy';
      if (this.#isClosed || typeof sight === 'string') return;
      if (this.#judged === undefined || !isSame(this.#judged, sight.content)) {
        await this.#judge(sight.content);
      }
      if (sight.isSettled) this.#tell();
    });
    return this.#looking;
  }

  async #judge(content: FileContent): Promise<void> {
    this.#judged = content;
    this.#untold = undefined;
    try {
      if ('error' in content) throw resourceFileUnreadable(this.#options.path, content.error);
      await this.#apply(content, parseResourceFile(content.text, this.#options));
    } catch (error) {
      if (!isGatewayError(error)) throw error;
      this.#untold = error;
    }
  }

  async #apply(content: FileContent, file: ResourceFile): Promise<void> {
    const { path } = this.#options;
    const isFirst = this.#applied === undefined;
    const isNews = this.#isFaulty || this.#applied === undefined || !isSame(this.#applied, content);
    this.#values = valuesOf(file, this.#values);
    const revision = await this.#memory.replaceAll(this.#values);
    this.#applied = content;
    this.#isFaulty = false;
    if (!isNews) return;

    if (!isFirst) this.#log('warn', `config file ${path} reloaded.`, { revision });
    const report = (level: 'warn' | 'error', message: string, problems: readonly Problem[]): void => {
      for (const problem of problems) {
        this.#log(level, message, { code: problem.code, reason: describeProblem(problem, file.source) });
      }
    };
    report('error', 'a part of the file cannot be used', file.problems);
    report('warn', 'a resource is in the file twice; the later one counts', file.duplicates);
    for (const reason of file.warnings)
      this.#log('warn', 'the file is probably not as it was meant', { reason });
  }

  /** Once for each state of the file, and not while somebody is writing it. */
  #tell(): void {
    if (this.#untold === undefined) return;
    this.#log('error', 'the file is not taken over; the last good configuration keeps serving', {
      code: this.#untold.code,
      reason: this.#untold.message,
    });
    this.#untold = undefined;
    this.#isFaulty = true;
  }
}

/** How often a file that is being written all the time is looked at before the store gives up. */
const firstLooks = 10;

/** The texts by key; those of a kind that the file does not tell are the former ones. */
function valuesOf(
  { items, unreadKinds }: ResourceFile,
  former: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const values = new Map(items.map(({ key, text }) => [key, text]));
  for (const [key, value] of former) {
    const [segment = ''] = key.split('/', 1);
    if (unreadKinds.includes(segment)) values.set(key, value);
  }
  return values;
}
