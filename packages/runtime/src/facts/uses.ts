/** Who uses what: resources, and the names or references in them. */
export class Uses {
  readonly #usedBy = new Map<string, ReadonlySet<string>>();
  readonly #usersOf = new Map<string, Set<string>>();

  /**
   * @param things all that the user has from now on; empty when it is gone.
   * @returns those that it did not have before, and those that it has no more.
   */
  set(
    user: string,
    things: ReadonlySet<string>,
  ): { readonly added: readonly string[]; readonly dropped: readonly string[] } {
    const former = this.#usedBy.get(user) ?? NONE;
    const added = [...things].filter((thing) => !former.has(thing));
    const dropped = [...former].filter((thing) => !things.has(thing));
    for (const thing of added) {
      this.#usersOf.set(thing, (this.#usersOf.get(thing) ?? new Set()).add(user));
    }
    for (const thing of dropped) {
      const users = this.#usersOf.get(thing);
      users?.delete(user);
      if (users?.size === 0) this.#usersOf.delete(thing);
    }
    if (things.size > 0) this.#usedBy.set(user, things);
    else this.#usedBy.delete(user);
    return { added, dropped };
  }

  usersOf(thing: string): readonly string[] {
    return [...(this.#usersOf.get(thing) ?? NONE)];
  }
}

const NONE: ReadonlySet<string> = new Set();
