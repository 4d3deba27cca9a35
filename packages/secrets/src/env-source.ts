import { GatewayError } from '@apisix-ts/errors';
import { readKey } from './read-key.ts';
import { parseReference } from './secret-reference.ts';
import type { SecretSourceKind, Surroundings } from './secret-source.ts';

/** The environment that the gateway was started with. */
export const envSource: SecretSourceKind = {
  name: 'env',
  isBuiltIn: true,
  create: (_config, { env }) => ({
    async read(name) {
      return readVariable(name, env);
    },
  }),
};

/**
 * A text in the settings of a manager, which may come from the environment.
 * @throws GatewayError `SECRET_NOT_FOUND`, `SECRET_INVALID` or `SECRET_REFERENCE_INVALID`.
 */
export function resolveFromEnvironment(text: string, env: Surroundings['env']): string {
  if (!/^\$(?:env|secret):\/\//i.test(text)) return text;
  const reference = parseReference(text);
  if (reference.source === 'env') return readKey(readVariable(reference.path, env), reference);
  throw new GatewayError(
    'SECRET_REFERENCE_INVALID',
    `"${text}": expected $env://… in a secrets resource, found a reference to another one`,
  );
}

function readVariable(name: string, env: Surroundings['env']): string {
  const value = env[name];
  if (value !== undefined) return value;
  throw new GatewayError(
    'SECRET_NOT_FOUND',
    `expected the environment variable "${name}", found none: set it and start the gateway anew`,
  );
}
