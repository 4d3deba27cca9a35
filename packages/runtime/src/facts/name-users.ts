import type { UpstreamDocument } from '@apisix-ts/config';
import { Uses } from './uses.ts';

/** Where the addresses of names come from; `NameWatcher` of the discovery package is one. */
export interface NameSource<Address = string> {
  /** Counts one more user of a name. Settles with its first answer or failure. */
  follow(name: string): Promise<void>;
  unfollow(name: string): void;
  /** The last good answer; empty when there is none. */
  addressesOf(name: string): readonly Address[];
}

/** Where nothing is served, or there is no such discovery: no name is looked up. */
export const unresolvedNames: NameSource<never> = {
  follow: () => Promise.resolve(),
  unfollow() {},
  addressesOf: () => [],
};

/** Remembers which upstream uses which names, and which were used before they had an answer. */
export class NameUsers<Address = string> {
  readonly #names: NameSource<Address>;
  readonly #onLateAnswer: (name: string) => void;
  readonly #uses = new Uses();
  /** Those with such names, as they were adopted last, by key. */
  readonly #upstreams = new Map<string, UpstreamDocument>();
  readonly #awaited = new Set<string>();
  readonly #missed = new Set<string>();

  /** @param onLateAnswer the first answer for a name came after `addressesOf` was asked for it. */
  constructor(names: NameSource<Address>, onLateAnswer: (name: string) => void) {
    this.#names = names;
    this.#onLateAnswer = onLateAnswer;
  }

  /**
   * Follows the names that an upstream has from now on, and lets go of the others.
   * @param names none where there is no upstream any more.
   * @param firstAnswers takes what has to be waited for.
   */
  adopt(
    key: string,
    upstream: UpstreamDocument | undefined,
    names: ReadonlySet<string>,
    firstAnswers: Promise<unknown>[],
  ): void {
    const { added, dropped } = this.#uses.set(key, names);
    for (const name of added) firstAnswers.push(this.#follow(name));
    for (const name of dropped) this.#names.unfollow(name);
    if (upstream === undefined || names.size === 0) this.#upstreams.delete(key);
    else this.#upstreams.set(key, upstream);
  }

  addressesOf(name: string): readonly Address[] {
    if (this.#awaited.has(name)) this.#missed.add(name);
    return this.#names.addressesOf(name);
  }

  /** The upstreams that use a name, by key. */
  upstreamsWith(name: string): readonly (readonly [string, UpstreamDocument])[] {
    return this.#uses.usersOf(name).flatMap((key) => {
      const upstream = this.#upstreams.get(key);
      return upstream === undefined ? [] : [[key, upstream] as const];
    });
  }

  async #follow(name: string): Promise<void> {
    this.#awaited.add(name);
    await this.#names.follow(name);
    this.#awaited.delete(name);
    if (this.#missed.delete(name)) this.#onLateAnswer(name);
  }
}
