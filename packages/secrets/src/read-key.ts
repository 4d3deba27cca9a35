import { GatewayError } from '@apisix-ts/errors';
import type { SecretReference } from './secret-reference.ts';
import type { Secret } from './secret-source.ts';

/**
 * The text that a reference means in a secret. With a key, a secret that is one text is read as JSON.
 * @throws GatewayError `SECRET_NOT_FOUND`, `SECRET_INVALID` or `SECRET_REFERENCE_INVALID`, without a part of the secret.
 */
export function readKey(secret: Secret, { written, key }: SecretReference): string {
  if (key === undefined) {
    if (typeof secret === 'string') return secret;
    throw new GatewayError(
      'SECRET_REFERENCE_INVALID',
      `"${written}": expected a key at the end, found a secret with ${describeKeys(secret)}`,
    );
  }
  const keys = typeof secret === 'string' ? parseObject(secret, written) : secret;
  if (!Object.hasOwn(keys, key)) {
    throw new GatewayError(
      'SECRET_NOT_FOUND',
      `"${written}": expected the key "${key}", found ${describeKeys(keys)}`,
    );
  }
  const value = keys[key];
  if (typeof value === 'string') return value;
  throw new GatewayError('SECRET_INVALID', `"${written}": expected a text, found ${describeType(value)}`);
}

function parseObject(text: string, written: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The error of the parser shows a part of the text.
    throw new GatewayError(
      'SECRET_INVALID',
      `"${written}": expected JSON, since it names a key, found other text`,
    );
  }
  if (isObject(value)) return value;
  throw new GatewayError(
    'SECRET_INVALID',
    `"${written}": expected a JSON object, found ${describeType(value)}`,
  );
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function describeType(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** A few of the keys, which are no secrets, for someone who looks for a slip. */
function describeKeys(secret: Readonly<Record<string, unknown>>): string {
  const keys = Object.keys(secret);
  const shown = keys.slice(0, 10).map((key) => `"${key}"`);
  if (keys.length === 0) return 'no keys';
  return `the keys ${shown.join(', ')}${keys.length > shown.length ? ', …' : ''}`;
}
