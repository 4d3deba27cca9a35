/** Where the addresses of names come from; `NameWatcher` of the discovery package is one. */
export interface NameSource<Address = string> {
  /** Counts one more user of a name. Settles with its first answer or failure. */
  follow(name: string): Promise<void>;
  unfollow(name: string): void;
  /** The last good answer; empty when there is none. */
  addressesOf(name: string): readonly Address[];
}

const NO_NAMES: ReadonlySet<string> = new Set();

/** Remembers which upstream uses which names, and follows each name for as long as one does. */
export class NameUsers {
  readonly #source: NameSource<unknown>;
  readonly #namesOf = new Map<string, ReadonlySet<string>>();
  readonly #usersOf = new Map<string, Set<string>>();

  constructor(source: NameSource<unknown>) {
    this.#source = source;
  }

  /**
   * @param names all that the user has from now on.
   * @returns the first answers for the names that are new with this user.
   */
  use(user: string, names: ReadonlySet<string>): readonly Promise<void>[] {
    const former = this.#namesOf.get(user) ?? NO_NAMES;
    // New names first: one that stays must not be forgotten in between.
    const firstAnswers: Promise<void>[] = [];
    for (const name of names) if (!former.has(name)) firstAnswers.push(this.#add(name, user));
    for (const name of former) if (!names.has(name)) this.#remove(name, user);
    if (names.size === 0) this.#namesOf.delete(user);
    else this.#namesOf.set(user, names);
    return firstAnswers;
  }

  usersOf(name: string): Iterable<string> {
    return this.#usersOf.get(name) ?? NO_NAMES;
  }

  #add(name: string, user: string): Promise<void> {
    const users = this.#usersOf.get(name) ?? new Set();
    this.#usersOf.set(name, users.add(user));
    return this.#source.follow(name);
  }

  #remove(name: string, user: string): void {
    const users = this.#usersOf.get(name);
    users?.delete(user);
    if (users?.size === 0) this.#usersOf.delete(name);
    this.#source.unfollow(name);
  }
}
