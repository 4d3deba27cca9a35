import type { ListenerTls } from '@apisix-ts/config';
import type { TimerWheel } from '@apisix-ts/core';
import { TlsAcceptor } from '@apisix-ts/transport';
import type { CertificateStore } from '@apisix-ts/transport';
import type { WorkerOptions } from '../workers/worker-link.ts';

/** What terminates TLS in a worker: listeners with the same versions and ciphers share one, which shares its certificates. */
export class TlsAcceptors {
  readonly #certificates: CertificateStore;
  readonly #wheel: TimerWheel;
  readonly #fallbackServerName: string | undefined;
  #ticketKeys: readonly Uint8Array[];
  readonly #byOptions = new Map<string, TlsAcceptor>();

  constructor(
    certificates: CertificateStore,
    wheel: TimerWheel,
    { fallbackServerName, ticketKeys }: Pick<WorkerOptions, 'fallbackServerName' | 'ticketKeys'>,
  ) {
    this.#certificates = certificates;
    this.#wheel = wheel;
    this.#fallbackServerName = fallbackServerName;
    this.#ticketKeys = ticketKeys;
  }

  get(tls: ListenerTls): TlsAcceptor {
    const key = JSON.stringify(tls);
    const acceptor = this.#byOptions.get(key) ?? this.#make(tls);
    this.#byOptions.set(key, acceptor);
    return acceptor;
  }

  setTicketKeys(keys: readonly Uint8Array[]): void {
    this.#ticketKeys = keys;
    for (const acceptor of this.#byOptions.values()) acceptor.setTicketKeys(keys);
  }

  #make({ versions, ciphers }: ListenerTls): TlsAcceptor {
    const fallbackServerName = this.#fallbackServerName;
    const ticketKeys = this.#ticketKeys;
    return new TlsAcceptor({
      store: this.#certificates,
      wheel: this.#wheel,
      versions,
      ciphers,
      ...(fallbackServerName === undefined ? {} : { fallbackServerName }),
      ...(ticketKeys.length === 0 ? {} : { ticketKeys }),
    });
  }
}
