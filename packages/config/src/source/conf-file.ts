import { resolve } from 'node:path';
import type { Environment } from './substitute.ts';

/** `HOME/conf/<name>.<extension>`, or `<name>-p.<extension>` there when `APISIX_PROFILE` is `p`. */
export function confFile(
  home: string,
  name: string,
  extension: string,
  { APISIX_PROFILE: profile = '' }: Environment,
): string {
  return resolve(home, 'conf', `${name}${profile === '' ? '' : `-${profile}`}.${extension}`);
}
