import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';

/** What of a resolv.conf(5) matters here. */
export interface ResolvConf {
  /** Ip literals; those with a zone are left out. At least one: without any it is `127.0.0.1`, as in libc. */
  readonly servers: readonly string[];
  /** Suffixes to try for a name. */
  readonly search: readonly string[];
  /** Names with fewer dots than this try the suffixes first. Default 1. */
  readonly minDots: number;
}

/** Reads a resolv.conf(5). One that is not there is empty. */
export function readResolvConf(path: string): ResolvConf {
  return parseResolvConf(readIfThere(path));
}

/** Of several `search` and `domain` lines the last one counts. What it does not know is passed over. */
export function parseResolvConf(text: string): ResolvConf {
  const servers: string[] = [];
  let search: readonly string[] = [];
  let minDots = 1;
  for (const line of text.split('\n')) {
    const [keyword = '', ...values] = line.trim().split(/\s+/);
    if (keyword === 'nameserver') servers.push(...values.slice(0, 1).filter(isUsable));
    if (keyword === 'search') search = values;
    if (keyword === 'domain') search = values.slice(0, 1);
    if (keyword === 'options') minDots = readMinDots(values) ?? minDots;
  }
  return { servers: servers.length === 0 ? ['127.0.0.1'] : servers, search, minDots };
}

/** The names to ask for, in order. A name that ends in a dot is complete. */
export function candidates(
  name: string,
  { search, minDots }: Omit<ResolvConf, 'servers'>,
): readonly string[] {
  if (name.endsWith('.')) return [name];
  const suffixed = search.map((suffix) => `${name}.${suffix}`);
  const dots = name.split('.').length - 1;
  return dots < minDots ? [...suffixed, name] : [name, ...suffixed];
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // A machine without the file has no servers of its own and no search list.
    return '';
  }
}

function isUsable(server: string): boolean {
  return isIP(server) !== 0 && !server.includes('%');
}

function readMinDots(options: readonly string[]): number | undefined {
  const digits = options
    .map((option) => /^ndots:(\d+)$/.exec(option)?.[1])
    .findLast((found) => found !== undefined);
  return digits === undefined ? undefined : Math.min(Number(digits), 15);
}
