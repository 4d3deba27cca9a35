import { readFile, stat } from 'node:fs/promises';

/** What was found at a path; an error is what the system said about it. */
export type FileContent = { readonly text: string } | { readonly error: Error };

export interface Sight {
  readonly content: FileContent;
  /** It was the same at the poll before: nobody is in the middle of writing it. */
  readonly isSettled: boolean;
}

/** How often a file that changes while it is read is read again at once. */
const attempts = 3;

/**
 * Looks at the file behind a path, by way of links if there are any, and tells when another content is there. Only
 * polls make up their mind about a file: two writes within a tick of the file system's clock leave one time stamp, so
 * a file is read again until its stamp and its content were the same at two polls in a row.
 */
export class WatchedFile {
  readonly #path: string;
  /** The stamp that needs no further look. */
  #settled: string | undefined;
  #polled: { readonly stamp: string; readonly content: FileContent } | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * @param isPoll is this one of the regular looks?
   * @returns `same` when nothing can have changed since the file settled, and `busy` when it changes while it is read.
   */
  async look(isPoll: boolean): Promise<Sight | 'same' | 'busy'> {
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const before = await stampOf(this.#path);
      if (before === this.#settled) return 'same';
      const content = await read(this.#path);
      const after = await stampOf(this.#path);
      if (before === after) return this.#sight(before, content, isPoll);
    }
    this.#polled = undefined;
    return 'busy';
  }

  #sight(stamp: string, content: FileContent, isPoll: boolean): Sight {
    if (!isPoll) return { content, isSettled: false };
    const last = this.#polled;
    const isSettled = last?.stamp === stamp && isSame(last.content, content);
    this.#polled = { stamp, content };
    this.#settled = isSettled ? stamp : undefined;
    return { content, isSettled };
  }
}

export function isSame(a: FileContent, b: FileContent): boolean {
  if ('text' in a) return 'text' in b && a.text === b.text;
  return 'error' in b && a.error.message === b.error.message;
}

/** Changes with the file: another one, another size, another time. What the system says, when there is none. */
async function stampOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (error) {
    return toError(error).message;
  }
}

async function read(path: string): Promise<FileContent> {
  try {
    return { text: await readFile(path, 'utf8') };
  } catch (error) {
    return { error: toError(error) };
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
