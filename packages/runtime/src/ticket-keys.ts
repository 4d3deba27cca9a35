import { randomBytes } from 'node:crypto';

/** How long a key makes new session tickets. Milliseconds. */
const TICKET_KEY_AGE_MS = 12 * 60 * 60 * 1000;

/** The keys of TLS session tickets, the same in all workers. A ticket stays good until the key after its own is replaced. */
export class TicketKeys {
  #keys: readonly Uint8Array[];
  #rotation: NodeJS.Timeout | undefined;

  /** @param former those of a gateway that this one follows on: its tickets stay good. Default: there are none. */
  constructor(former: readonly Uint8Array[] = []) {
    this.#keys = former.length === 0 ? [newKey()] : former;
  }

  get keys(): readonly Uint8Array[] {
    return this.#keys;
  }

  /** @param onRotated is told the keys, the newest first. */
  rotate(onRotated: (keys: readonly Uint8Array[]) => void): void {
    this.#rotation = setInterval(() => {
      this.#keys = [newKey(), ...this.#keys.slice(0, 1)];
      onRotated(this.#keys);
    }, TICKET_KEY_AGE_MS).unref();
  }

  /** Idempotent. */
  close(): void {
    clearInterval(this.#rotation);
  }
}

function newKey(): Uint8Array {
  return randomBytes(48);
}
