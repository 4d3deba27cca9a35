import { basename } from 'node:path';

/**
 * What one file that holds both programs is to be: the `apisix` command when it is called by that name, or with an
 * action; else the gateway, which takes options only.
 * @param calledAs the name or path it was called by.
 */
export function roleOf(calledAs: string, args: readonly string[]): 'command' | 'gateway' {
  const [first = '-'] = args;
  return basename(calledAs) === 'apisix' || !first.startsWith('-') ? 'command' : 'gateway';
}
