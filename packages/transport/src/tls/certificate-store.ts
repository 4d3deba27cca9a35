import { isDeepStrictEqual } from 'node:util';
import { normalizeServerName } from '@apisix-ts/core';

export type TlsVersion = 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

/** PEM, both; `cert` may go on with the certificates that lead to its root. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

/** Whose certificates a client has to show. */
export interface ClientAuthority {
  /** PEM of one or more authorities. */
  readonly ca: string;
  /** Most certificates that may stand between the client's and an authority's. */
  readonly depth: number;
}

/** What is served under some names. */
export interface CertificateSpec {
  /** Exact, `*.example.com`, or `*`, which is every name. */
  readonly serverNames: readonly string[];
  /** Of different key types (RSA, ECDSA): the client's ciphers decide. At least one. */
  readonly pairs: readonly CertificatePair[];
  /** Demand a certificate from clients. Default: do not. */
  readonly client?: ClientAuthority;
  /** Default: what the listener allows. */
  readonly versions?: readonly TlsVersion[];
}

/** One entry of a store. It never changes: a change of configuration makes a new one. */
export interface Certificate extends CertificateSpec {
  readonly id: string;
}

/** A name that several entries claim. */
export interface NameConflict {
  readonly serverName: string;
  /** In order; the first one is served. */
  readonly ids: readonly string[];
}

/**
 * The certificates that a thread serves, by name. Finding one costs at most three look-ups. The PEM is not looked at
 * here: whoever serves an entry compiles it on first use and keeps that by the entry's identity, so what a handshake
 * or a session has is never touched by a change.
 */
export class CertificateStore {
  readonly #byId: Map<string, Certificate> = new Map();
  /** Who claims a name, in order of id. */
  readonly #byName: Map<string, Certificate[]> = new Map();

  /** Adds the entry, or puts it in the place of the one with that id. One that is the same stays: so do its tickets. */
  set(id: string, spec: CertificateSpec): void {
    const serverNames = [...new Set(spec.serverNames.map(normalizeServerName))];
    const certificate = { ...spec, serverNames, id };
    if (isDeepStrictEqual(certificate, this.#byId.get(id))) return;
    this.delete(id);
    this.#byId.set(id, certificate);
    for (const name of serverNames) {
      const claims = [...(this.#byName.get(name) ?? []), certificate];
      this.#byName.set(name, claims.sort(compareIds));
    }
  }

  delete(id: string): void {
    const certificate = this.#byId.get(id);
    if (certificate === undefined) return;
    this.#byId.delete(id);
    for (const name of certificate.serverNames) {
      const claims = this.#byName.get(name)?.filter((claim) => claim !== certificate) ?? [];
      if (claims.length > 0) this.#byName.set(name, claims);
      else this.#byName.delete(name);
    }
  }

  /**
   * The entry for a name: an exact one, else the wildcard that covers exactly its first label, else `*`. Upper case and
   * one dot at the end make no difference. Of several entries that claim the same name the lowest id wins.
   */
  find(serverName: string): Certificate | undefined {
    const name = normalizeServerName(serverName);
    const firstDot = name.indexOf('.');
    return (
      this.#first(name) ??
      (firstDot > 0 ? this.#first(`*${name.slice(firstDot)}`) : undefined) ??
      this.#first('*')
    );
  }

  /** Names that more than one entry claims: worth a line in the log. */
  conflicts(): NameConflict[] {
    return [...this.#byName]
      .filter(([, claims]) => claims.length > 1)
      .map(([serverName, claims]) => ({ serverName, ids: claims.map(({ id }) => id) }));
  }

  get size(): number {
    return this.#byId.size;
  }

  #first(name: string): Certificate | undefined {
    return this.#byName.get(name)?.[0];
  }
}

function compareIds(one: Certificate, other: Certificate): number {
  if (one.id === other.id) return 0;
  return one.id < other.id ? -1 : 1;
}
