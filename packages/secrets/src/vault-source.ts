import { readFile } from 'node:fs/promises';
import { GatewayError, isGatewayError } from '@apisix-ts/errors';
import { resolveFromEnvironment } from './env-source.ts';
import { httpGet } from './http-get.ts';
import type { HttpAnswer } from './http-get.ts';
import type { ManagerConfig, Secret, SecretSource, SecretSourceKind, Surroundings } from './secret-source.ts';
import { readVaultAnswer, showUrl } from './vault-answer.ts';

/** Seconds for one read, as in the reference, where `timeout` does not say otherwise. */
const DEFAULT_TIMEOUT_S = 5;
const LONGEST_TIMEOUT_S = 60;
/** Vault itself keeps no entry above 1 MiB. */
const MAX_ANSWER_BYTES = 2 * 1024 * 1024;

/** The key-value engines of HashiCorp Vault, version 1 and 2, over its HTTP API. */
export const vaultSource: SecretSourceKind = {
  name: 'vault',
  isBuiltIn: false,
  create: (config, surroundings) => new Vault(config, surroundings),
};

class Vault implements SecretSource {
  readonly #config: ManagerConfig;
  readonly #surroundings: Surroundings;

  constructor(config: ManagerConfig, surroundings: Surroundings) {
    this.#config = config;
    this.#surroundings = surroundings;
  }

  async read(path: string, signal: AbortSignal): Promise<Secret> {
    const { timeout } = this.#config;
    const isTime = typeof timeout === 'number' && timeout > 0;
    const seconds = isTime ? Math.min(timeout, LONGEST_TIMEOUT_S) : DEFAULT_TIMEOUT_S;
    const url = this.#urlOf(path);
    const token = this.#text('token');
    if (!/^[\x21-\x7e]+$/.test(token)) {
      throw new GatewayError(
        'SECRET_DENIED',
        'expected a token of Vault, found one that is empty or has blanks',
      );
    }
    const headers = { 'X-Vault-Token': token, ...this.#namespace() };
    const limited = AbortSignal.any([signal, AbortSignal.timeout(seconds * 1000)]);
    const answer = await this.#get(url, headers, limited).catch((error: unknown) => {
      throw isGatewayError(error) ? error : unreachable(url, error, seconds);
    });
    return readVaultAnswer(url, answer, token);
  }

  /** A standby that does not forward requests answers with the address of the active node. */
  async #get(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<HttpAnswer> {
    const { caFile } = this.#surroundings;
    const ca = caFile === undefined || url.protocol === 'http:' ? undefined : await readAuthorities(caFile);
    const options = { headers, ca, maxBytes: MAX_ANSWER_BYTES, signal };
    const answer = await httpGet(url, options);
    const { location } = answer.headers;
    if (answer.status !== 307 || location === undefined || !URL.canParse(location, url)) return answer;
    const active = new URL(location, url);
    // The token goes with the request: never from TLS to clear.
    return active.protocol === url.protocol ? httpGet(active, options) : answer;
  }

  /** `<uri>/v1/<prefix>/<path>`. */
  #urlOf(path: string): URL {
    const uri = this.#text('uri');
    const url = URL.canParse(uri) ? new URL(uri) : undefined;
    if (url === undefined || !/^https?:$/.test(url.protocol)) {
      throw new GatewayError(
        'SECRET_UNREACHABLE',
        'expected the uri of the secrets resource to be an http or https URL, as "https://vault.example.com:8200"',
      );
    }
    const steps = `${this.#text('prefix')}/${path}`.split('/').filter((step) => step !== '');
    const base = url.pathname.split('/').filter((step) => step !== '');
    url.pathname = ['', ...base, 'v1', ...steps.map((step) => encodeURIComponent(step.toWellFormed()))].join(
      '/',
    );
    url.search = '';
    url.hash = '';
    return url;
  }

  #namespace(): Readonly<Record<string, string>> {
    return this.#config['namespace'] === undefined ? {} : { 'X-Vault-Namespace': this.#text('namespace') };
  }

  #text(name: string): string {
    const text = this.#config[name];
    return typeof text === 'string' ? resolveFromEnvironment(text, this.#surroundings.env) : '';
  }
}

async function readAuthorities(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new GatewayError(
      'SECRET_UNREACHABLE',
      `expected authorities to trust in the file of apisix.ssl.ssl_trusted_certificate, could not read ${file}: ${String(cause)}`,
      { cause },
    );
  }
}

function unreachable(url: URL, cause: unknown, seconds: number): GatewayError {
  const isLate = cause instanceof DOMException && cause.name === 'TimeoutError';
  const found = isLate ? `none within ${seconds} s` : describeFailure(cause);
  return new GatewayError(
    'SECRET_UNREACHABLE',
    `expected an answer of Vault at ${showUrl(url)}, found ${found}`,
    {
      cause,
    },
  );
}

/** An attempt on several addresses fails with a list that has no message of its own. */
function describeFailure(cause: unknown): string {
  if (cause instanceof AggregateError) return cause.errors.map(describeFailure).join('; ');
  return cause instanceof Error ? cause.message : String(cause);
}
