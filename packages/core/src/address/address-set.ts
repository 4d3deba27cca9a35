import { parseCidr, parseIp } from './ip.ts';
import { PrefixMap } from './prefix-map.ts';

/** Addresses and ranges, to find out whether an address is among them. */
export class AddressSet {
  readonly #prefixes = new PrefixMap<true>();

  /** @param texts addresses and ranges in CIDR form. @throws TypeError for anything else. */
  constructor(texts: Iterable<string>) {
    for (const text of texts) {
      const prefix = parseCidr(text);
      if (prefix === undefined) throw new TypeError(`not an address or range: ${text}`);
      this.#prefixes.set(prefix, true);
    }
  }

  /** @param text an ip literal; nothing else is ever among them. */
  has(text: string): boolean {
    const ip = parseIp(text);
    if (ip === undefined) return false;
    let isFound = false;
    this.#prefixes.visitContaining(ip, () => (isFound = true));
    return isFound;
  }
}
