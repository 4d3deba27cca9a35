import { X509Certificate } from 'node:crypto';
import type { Log, LogLevel } from '../log.ts';
import type { KeyPairFacts } from './facts.ts';

/** How long before its end a certificate is worth a line in the log. Milliseconds. */
const SOON_MS = 14 * 24 * 60 * 60 * 1000;

/** The certificates of one ssl, as far as time goes. */
export interface CertificateLife {
  /** `ssls/1` */
  readonly resource: string;
  /** When the last of them begins to be valid, and the first of them ends. Milliseconds since 1970. */
  readonly validFromMs: number;
  readonly validToMs: number;
}

type State = 'valid' | 'early' | 'ending' | 'ended';

const lines: Readonly<Record<State, readonly [LogLevel, string]>> = {
  valid: ['notice', 'a certificate is valid'],
  early: ['warn', 'a certificate is not valid yet'],
  ending: ['warn', 'a certificate expires soon'],
  ended: ['error', 'a certificate has expired'],
};

/**
 * Watches how long certificates are valid and for what, and tells the log. They are used all the same: clients decide
 * what they take, and one that is expired serves better than none.
 */
export class CertificateDates {
  readonly #log: Log;
  readonly #now: () => number;
  readonly #lives = new Map<string, CertificateLife>();
  readonly #states = new Map<string, State>();

  /** @param now milliseconds since 1970. */
  constructor(log: Log, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  get lives(): readonly CertificateLife[] {
    return [...this.#lives.values()];
  }

  /**
   * An ssl that is used has these pairs from now on.
   * @param serverNames that it is shown under; none for one that is shown to upstreams.
   */
  set(resource: string, pairs: readonly KeyPairFacts[], serverNames: readonly string[]): void {
    const certificates = pairs.map(({ cert }) => new X509Certificate(cert));
    this.#lives.set(resource, {
      resource,
      validFromMs: Math.max(...certificates.map(({ validFrom }) => Date.parse(validFrom))),
      validToMs: Math.min(...certificates.map(({ validTo }) => Date.parse(validTo))),
    });
    const uncovered = serverNames.filter((name) => !certificates.some((each) => isFor(each, name)));
    if (uncovered.length > 0) {
      this.#log('warn', 'a certificate is not for a name that it is shown under', {
        resource,
        names: uncovered,
      });
    }
    this.#checkOne(resource);
  }

  /** It is gone, or not used. */
  delete(resource: string): void {
    this.#lives.delete(resource);
    this.#states.delete(resource);
  }

  /** To be called from time to time. */
  check(): void {
    for (const resource of this.#lives.keys()) this.#checkOne(resource);
  }

  #checkOne(resource: string): void {
    const life = this.#lives.get(resource);
    if (life === undefined) return;
    const former = this.#states.get(resource) ?? 'valid';
    const state = stateAt(life, this.#now());
    this.#states.set(resource, state);
    if (state === former) return;
    const [level, message] = lines[state];
    this.#log(level, message, {
      resource,
      from: new Date(life.validFromMs).toISOString(),
      to: new Date(life.validToMs).toISOString(),
    });
  }
}

function stateAt({ validFromMs, validToMs }: CertificateLife, nowMs: number): State {
  if (nowMs < validFromMs) return 'early';
  if (nowMs >= validToMs) return 'ended';
  return validToMs - nowMs < SOON_MS ? 'ending' : 'valid';
}

/** Under `*` it is shown for every name, so there is none that it has to be for. */
function isFor(certificate: X509Certificate, name: string): boolean {
  return name === '*' || certificate.checkHost(name.replace(/^\*(?=\.)/, 'any')) !== undefined;
}
