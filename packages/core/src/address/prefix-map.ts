import { maskIpv4, maskIpv6 } from './ip.ts';
import type { Cidr, Ip } from './ip.ts';

/**
 * Values by prefix. Looking up an address costs one hash look-up per prefix length in use (33 + 129 at worst),
 * however many prefixes there are.
 */
export class PrefixMap<V> {
  readonly #ipv4 = new PrefixLengths<number, V>(maskIpv4);
  readonly #ipv6 = new PrefixLengths<bigint, V>(maskIpv6);

  get isEmpty(): boolean {
    return this.#ipv4.isEmpty && this.#ipv6.isEmpty;
  }

  get(prefix: Cidr): V | undefined {
    return prefix.family === 4
      ? this.#ipv4.get(prefix.bits, prefix.prefixLength)
      : this.#ipv6.get(prefix.bits, prefix.prefixLength);
  }

  set(prefix: Cidr, value: V): void {
    if (prefix.family === 4) this.#ipv4.set(prefix.bits, prefix.prefixLength, value);
    else this.#ipv6.set(prefix.bits, prefix.prefixLength, value);
  }

  delete(prefix: Cidr): void {
    if (prefix.family === 4) this.#ipv4.delete(prefix.bits, prefix.prefixLength);
    else this.#ipv6.delete(prefix.bits, prefix.prefixLength);
  }

  /** Calls `visit` with the value of each prefix that contains `ip`, longest prefix first. */
  visitContaining(ip: Ip, visit: (value: V) => void): void {
    if (ip.family === 4) this.#ipv4.visitContaining(ip.bits, visit);
    else this.#ipv6.visitContaining(ip.bits, visit);
  }
}

type Mask<Bits> = (bits: Bits, prefixLength: number) => Bits;

/** One family: a hash table for each prefix length in use, longest first. */
class PrefixLengths<Bits, V> {
  readonly #mask: Mask<Bits>;
  readonly #tables: { readonly prefixLength: number; readonly values: Map<Bits, V> }[] = [];

  constructor(mask: Mask<Bits>) {
    this.#mask = mask;
  }

  get isEmpty(): boolean {
    return this.#tables.length === 0;
  }

  get(bits: Bits, prefixLength: number): V | undefined {
    return this.#tables.find((table) => table.prefixLength === prefixLength)?.values.get(bits);
  }

  set(bits: Bits, prefixLength: number, value: V): void {
    const index = this.#tables.findIndex((table) => table.prefixLength <= prefixLength);
    const found = this.#tables[index];
    if (found?.prefixLength === prefixLength) {
      found.values.set(bits, value);
      return;
    }
    const table = { prefixLength, values: new Map([[bits, value]]) };
    this.#tables.splice(index === -1 ? this.#tables.length : index, 0, table);
  }

  delete(bits: Bits, prefixLength: number): void {
    const index = this.#tables.findIndex((table) => table.prefixLength === prefixLength);
    const table = this.#tables[index];
    if (table === undefined) return;
    table.values.delete(bits);
    if (table.values.size === 0) this.#tables.splice(index, 1);
  }

  visitContaining(bits: Bits, visit: (value: V) => void): void {
    for (const { prefixLength, values } of this.#tables) {
      const value = values.get(this.#mask(bits, prefixLength));
      if (value !== undefined) visit(value);
    }
  }
}
