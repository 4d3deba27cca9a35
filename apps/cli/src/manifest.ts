import { readFileSync } from 'node:fs';

/**
 * A text in the package.json of one of our packages.
 * @param keys the way to it, such as `'bin', 'apisix'`.
 */
export function manifestText(url: URL, ...keys: readonly string[]): string {
  let value: unknown = JSON.parse(readFileSync(url, 'utf8'));
  for (const key of keys) {
    value = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  }
  if (typeof value === 'string') return value;
  throw new TypeError(`expected a text ${keys.join('.')} in ${url.pathname}, found ${typeof value}`);
}
