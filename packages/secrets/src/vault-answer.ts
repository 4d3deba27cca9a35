import { GatewayError } from '@apisix-ts/errors';
import type { ErrorCode } from '@apisix-ts/errors';
import type { HttpAnswer } from './http-get.ts';
import { describeType, isObject } from './read-key.ts';
import type { Secret } from './secret-source.ts';

/**
 * The keys and values in an answer of Vault: `data` of version 1 of the key-value engine, `data.data` of version 2,
 * which says so by the version in `data.metadata`.
 * @param token is never shown, should a server repeat it.
 * @throws GatewayError `SECRET_NOT_FOUND`, `SECRET_DENIED`, `SECRET_UNREACHABLE` or `SECRET_INVALID`.
 */
export function readVaultAnswer(url: URL, { status, headers, body }: HttpAnswer, token: string): Secret {
  const fail = (code: ErrorCode, found: string): GatewayError =>
    new GatewayError(code, `expected a secret from ${showUrl(url)}, found ${found}`);
  if (body === undefined) throw fail('SECRET_INVALID', `status ${status} and more than 2 MiB`);
  const answer = parse(body);
  const data = isObject(answer) ? answer['data'] : undefined;
  const versioned = isObject(data) && isVersion(data['metadata']) ? data : undefined;

  if (status === 200) {
    if (answer === undefined)
      throw fail('SECRET_INVALID', `status 200 with ${describeBody(headers['content-type'])}`);
    const secret = versioned === undefined ? data : versioned['data'];
    if (isObject(secret)) return secret;
    throw fail('SECRET_INVALID', `status 200 without values: data is ${describeType(secret)}`);
  }
  const said = `status ${status}${quote(answer, token)}`;
  if (status === 404 && versioned !== undefined) {
    throw fail(
      'SECRET_NOT_FOUND',
      `${said}: its last version was deleted; undelete it, or write another one`,
    );
  }
  throw fail(codeOf(status), `${said}: ${adviceOf(status, answer)}`);
}

function codeOf(status: number): ErrorCode {
  if (status === 401 || status === 403) return 'SECRET_DENIED';
  if (status === 404) return 'SECRET_NOT_FOUND';
  return status === 412 || status === 429 || status >= 472 ? 'SECRET_UNREACHABLE' : 'SECRET_INVALID';
}

function adviceOf(status: number, answer: unknown): string {
  if (status === 401 || status === 403) return 'give a token that is valid and may read this path';
  if (status === 404) {
    return wordsOf(answer).some((text) => text.includes('versioned'))
      ? 'this is version 2 of the key-value engine; let the prefix of the secrets resource be its mount and "/data"'
      : 'check the prefix, the path and the namespace';
  }
  if (status === 503) return 'unseal Vault, or wait until it has an active node';
  if (status === 307)
    return 'it sends the request from TLS to clear or to no address; name its active node as uri';
  return 'see what Vault logs';
}

/** Texts that Vault says with a failure, within a line. */
function quote(answer: unknown, token: string): string {
  const words = wordsOf(answer).join('; ').replaceAll(token, '[token]').replaceAll(/\s+/g, ' ').trim();
  return words === '' ? '' : ` "${words.slice(0, 300)}"`;
}

function wordsOf(answer: unknown): readonly string[] {
  if (!isObject(answer)) return [];
  const lists = [answer['errors'], answer['warnings']];
  return lists.flat().filter((text) => typeof text === 'string');
}

function isVersion(metadata: unknown): boolean {
  return isObject(metadata) && typeof metadata['version'] === 'number';
}

/** @returns undefined when it is not JSON. */
function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // What it is instead is told without its text, which may hold a secret.
    return undefined;
  }
}

function describeBody(type: string | undefined): string {
  return type === undefined ? 'a body that is not JSON' : `a body that is not JSON but ${type}`;
}

/** Without a user and password that stand in it. */
export function showUrl(url: URL): string {
  return url.origin + url.pathname;
}
