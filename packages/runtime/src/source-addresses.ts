/** The addresses of this machine that an upstream is connected to from. */
export class SourceAddresses {
  readonly #ipv4: Turn;
  readonly #ipv6: Turn;

  /** @param addresses ip literals of both families, in any order. */
  constructor(addresses: readonly string[]) {
    this.#ipv4 = new Turn(addresses.filter((address) => !address.includes(':')));
    this.#ipv6 = new Turn(addresses.filter((address) => address.includes(':')));
  }

  /** The one whose turn it is among those of the target's family; undefined when there is none: the system chooses. */
  next(target: string): string | undefined {
    return (target.includes(':') ? this.#ipv6 : this.#ipv4).next();
  }
}

class Turn {
  readonly #addresses: readonly string[];
  #at = 0;

  constructor(addresses: readonly string[]) {
    this.#addresses = addresses;
  }

  next(): string | undefined {
    const address = this.#addresses[this.#at];
    this.#at = this.#at + 1 < this.#addresses.length ? this.#at + 1 : 0;
    return address;
  }
}
