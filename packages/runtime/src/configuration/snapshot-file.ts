import { mkdir, open, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { GatewayError } from '@apisix-ts/errors';
import { decodeHeader, decodeSnapshot, encodeSnapshot } from './snapshot-format.ts';
import type { KeptSnapshot, SnapshotHeader, SnapshotOrigin } from './snapshot-format.ts';

/** More than any header has. */
const HEADER_BYTES = 64 * 1024;
/** A draft that nobody has written to for this long is nobody's. Milliseconds. */
const ABANDONED_MS = 60_000;

/**
 * The snapshot on disk. What is there is whole or not there: it is written beside its place and then moved. Only its
 * owner may read it, since resources hold secrets.
 */
export class SnapshotFile {
  readonly path: string;
  readonly #origin: SnapshotOrigin;

  constructor(path: string, origin: SnapshotOrigin) {
    this.path = path;
    this.#origin = origin;
  }

  /**
   * What is there, unread but for its first line; undefined if there is none.
   * @throws GatewayError `SNAPSHOT_CORRUPT`, `SNAPSHOT_FOREIGN`; the file is set aside then. `SNAPSHOT_UNREADABLE`.
   */
  async header(): Promise<SnapshotHeader | undefined> {
    return this.#examine(
      await this.#read(async () => {
        const file = await open(this.path);
        try {
          const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
          return buffer.subarray(0, bytesRead);
        } finally {
          await file.close();
        }
      }),
      decodeHeader,
    );
  }

  /** All of what is there, checked; undefined if there is none. Rejects as `header` does. */
  async read(): Promise<KeptSnapshot | undefined> {
    return this.#examine(await this.#read(() => readFile(this.path)), decodeSnapshot);
  }

  /**
   * Puts a snapshot in place of what is there, durably. Other work has its turn in between.
   * Rejects with `SNAPSHOT_UNWRITABLE`; what was there is still there then.
   */
  async write(content: Omit<KeptSnapshot, 'origin'>): Promise<void> {
    // Of this process alone: in an upgrade two have the same snapshot for a moment.
    const draft = `${this.path}.${process.pid}.new`;
    try {
      await mkdir(dirname(this.path), { recursive: true });
      await this.#removeDrafts(draft);
      await writeDurably(draft, encodeSnapshot({ ...content, origin: this.#origin }));
      await rename(draft, this.path);
      await syncFolder(dirname(this.path));
    } catch (cause) {
      await rm(draft, { force: true }).catch(() => {
        // The first failure is the one to tell.
      });
      throw this.#error('SNAPSHOT_UNWRITABLE', `could not be written: ${messageOf(cause)}`, cause);
    }
  }

  /** Its own, with whatever permissions, and those that a crash left. */
  async #removeDrafts(own: string): Promise<void> {
    const folder = dirname(this.path);
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      if (!path.startsWith(`${this.path}.`) || !name.endsWith('.new')) continue;
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity })); // Moved by its owner.
      if (path === own || mtimeMs < Date.now() - ABANDONED_MS) await rm(path, { force: true });
    }
  }

  async #read(read: () => Promise<Buffer>): Promise<Buffer | undefined> {
    try {
      return await read();
    } catch (cause) {
      if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
      throw this.#error('SNAPSHOT_UNREADABLE', `cannot be read: ${messageOf(cause)}`, cause);
    }
  }

  async #examine<T extends SnapshotHeader>(
    bytes: Buffer | undefined,
    decode: (bytes: Buffer) => T,
  ): Promise<T | undefined> {
    if (bytes === undefined) return undefined;
    let found: T;
    try {
      found = decode(bytes);
    } catch (cause) {
      const aside = await this.#setAside();
      throw this.#error('SNAPSHOT_CORRUPT', `cannot be used ${aside}: ${messageOf(cause)}`, cause);
    }
    if (isSame(found.origin, this.#origin)) return found;
    const aside = await this.#setAside();
    throw this.#error(
      'SNAPSHOT_FOREIGN',
      `is of ${describe(found.origin)}, and this gateway uses ${describe(this.#origin)}; it is not used ${aside}`,
    );
  }

  /** Out of the way, for whoever wants to look at it. @returns what became of it. */
  async #setAside(): Promise<string> {
    const aside = `${this.path}.unusable`;
    try {
      await rename(this.path, aside);
      return `and is now ${aside}`;
    } catch (error) {
      return `and cannot be moved away (${messageOf(error)})`;
    }
  }

  #error(code: SnapshotErrorCode, what: string, cause?: unknown): GatewayError {
    return new GatewayError(code, `the snapshot ${this.path} ${what}`, {
      detail: { path: this.path },
      ...(cause === undefined ? {} : { cause }),
    });
  }
}

type SnapshotErrorCode =
  | 'SNAPSHOT_CORRUPT'
  | 'SNAPSHOT_FOREIGN'
  | 'SNAPSHOT_UNREADABLE'
  | 'SNAPSHOT_UNWRITABLE';

function isSame(a: SnapshotOrigin, b: SnapshotOrigin): boolean {
  return a.store === b.store && a.prefix === b.prefix && a.hosts.some((host) => b.hosts.includes(host));
}

function describe({ store, prefix, hosts }: SnapshotOrigin): string {
  return `${store} at ${hosts.join(', ')} under ${prefix}`;
}

async function writeDurably(path: string, chunks: Iterable<Buffer>): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    for (const chunk of chunks) await file.writeFile(chunk);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes a rename last over a power cut. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
