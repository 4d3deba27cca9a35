import { GatewayError } from '@apisix-ts/errors';

/** What stands in a resource in place of a text. */
export interface SecretReference {
  /** As it is written. */
  readonly written: string;
  /** Who knows it: `env`, or the id of a `secrets` resource, `vault/1`. */
  readonly source: string;
  /** The name of a variable, or the path of a secret below the manager's prefix. */
  readonly path: string;
  /** The member of it that is meant; absent: all of it. */
  readonly key?: string;
}

/**
 * Takes a reference apart: `$env://<variable>[/<key>]`, with `env` in any case, or
 * `$secret://<manager>/<id>/<path>[/<key>]`, where the path may have several steps.
 * @throws GatewayError `SECRET_REFERENCE_INVALID`.
 */
export function parseReference(written: string): SecretReference {
  const variable = /^\$env:\/\/([^/]*)(?:\/(.*))?$/is.exec(written);
  if (variable !== null) {
    const [, path = '', key = ''] = variable;
    if (path === '') throw invalid(written, '$env://NAME or $env://NAME/key', 'no name of a variable');
    return { written, source: 'env', path, ...(key === '' ? {} : { key }) };
  }
  if (!written.startsWith('$secret://')) throw invalid(written, 'a reference', 'another text');
  const [manager = '', id = '', ...rest] = written.slice('$secret://'.length).split('/');
  if (manager === '') throw invalid(written, FORM, 'no manager');
  if (id === '') throw invalid(written, FORM, 'no id of a secrets resource');
  const key = rest.length > 1 ? rest.pop() : undefined;
  const steps = rest.filter((step) => step !== '');
  if (steps.length === 0) throw invalid(written, FORM, 'no path');
  if (key === '') throw invalid(written, FORM, 'no key');
  if (steps.some((step) => step === '.' || step === '..'))
    throw invalid(written, FORM, 'a "." or ".." in it');
  const path = steps.join('/');
  return { written, source: `${manager}/${id}`, path, ...(key === undefined ? {} : { key }) };
}

const FORM = '$secret://<manager>/<id>/<path>/<key>';

function invalid(written: string, expected: string, found: string): GatewayError {
  return new GatewayError('SECRET_REFERENCE_INVALID', `"${written}": expected ${expected}, found ${found}`);
}
