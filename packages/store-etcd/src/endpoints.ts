import { GatewayError, isGatewayError } from '@apisix-ts/errors';
import { Endpoint } from './endpoint.ts';
import { reasonIn } from './etcd-error.ts';
import type { EtcdOptions } from './etcd-options.ts';
import { readTlsFiles } from './security.ts';
import type { TlsFiles } from './security.ts';

export interface EndpointsDependencies {
  /** Decides where to start, so that the gateways of a fleet do not all crowd one host; 0 ≤ n < 1. */
  readonly random: () => number;
  /** Milliseconds, never going back. */
  readonly nowMs: () => number;
}

/**
 * The hosts of one cluster. One of them is used until it fails, then the next one in the order of the settings. A host
 * that has failed lately comes last, so that one that hangs costs its time-out once and not at every turn; but it
 * comes, because the others may be no better.
 */
export class Endpoints {
  readonly #list: readonly Endpoint[];
  readonly #downMs: number;
  readonly #nowMs: () => number;
  /** Until when a host that failed comes last. */
  readonly #downUntil = new Map<Endpoint, number>();
  #preferred: number;

  constructor(options: EtcdOptions, { random, nowMs }: EndpointsDependencies) {
    const isTls = options.hosts.some((host) => host.startsWith('https:'));
    const files: TlsFiles = isTls ? readTlsFiles(options.tls) : {};
    this.#list = options.hosts.map((host) => new Endpoint(host, options, files));
    this.#downMs = options.downMs;
    this.#nowMs = nowMs;
    this.#preferred = Math.floor(random() * this.#list.length);
  }

  /**
   * Something that may be repeated: at each host in turn, until one answers.
   * @throws GatewayError `STORE_UNREACHABLE` when none did, with each one's reason.
   */
  async read<T>(attempt: (endpoint: Endpoint) => Promise<T>): Promise<T> {
    const failures: Failure[] = [];
    for (const endpoint of this.#inOrder()) {
      try {
        return await attempt(endpoint);
      } catch (error) {
        if (!isGatewayError(error, 'STORE_UNREACHABLE')) throw error;
        this.failed(endpoint);
        failures.push({ url: endpoint.url, error });
      }
    }
    throw unreachable(failures);
  }

  /** Something that must not be repeated: once, at the first host that can be reached. */
  async write<T>(attempt: (endpoint: Endpoint) => Promise<T>, signal: AbortSignal): Promise<T> {
    const endpoint = await this.read(async (candidate) => {
      await candidate.reach(signal);
      return candidate;
    });
    try {
      return await attempt(endpoint);
    } catch (error) {
      if (isGatewayError(error, 'STORE_UNREACHABLE')) this.failed(endpoint);
      throw error;
    }
  }

  /** Drops the connection to this host, marks it as down, and prefers the next one from now on. */
  failed(endpoint: Endpoint): void {
    endpoint.reset();
    this.#downUntil.set(endpoint, this.#nowMs() + this.#downMs);
    if (this.#list[this.#preferred] === endpoint) this.#preferred = (this.#preferred + 1) % this.#list.length;
  }

  close(): void {
    for (const endpoint of this.#list) endpoint.reset();
  }

  #inOrder(): readonly Endpoint[] {
    const inTurn = [...this.#list.slice(this.#preferred), ...this.#list.slice(0, this.#preferred)];
    const now = this.#nowMs();
    const isDown = (endpoint: Endpoint): boolean => (this.#downUntil.get(endpoint) ?? now) > now;
    return [...inTurn.filter((endpoint) => !isDown(endpoint)), ...inTurn.filter(isDown)];
  }
}

interface Failure {
  readonly url: string;
  readonly error: GatewayError;
}

function unreachable(failures: readonly Failure[]): GatewayError {
  const [first] = failures;
  if (first !== undefined && failures.length === 1) return first.error;
  const each = failures.map(({ url, error }) => `${url} (${reasonIn(error)})`).join(', ');
  return new GatewayError(
    'STORE_UNREACHABLE',
    `none of the ${failures.length} hosts of etcd answers: ${each}`,
    {
      cause: new AggregateError(failures.map(({ error }) => error)),
    },
  );
}
