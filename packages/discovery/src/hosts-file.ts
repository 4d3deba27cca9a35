import { readFile, stat } from 'node:fs/promises';
import { isIP } from 'node:net';

/** The addresses of a name by family, as a hosts file lists them. */
export interface HostsEntry {
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
}

/** A hosts file (hosts(5)), read again when it changed. A file that is not there has no names. */
export class HostsFile {
  readonly #path: string;
  #version = '';
  #names: ReadonlyMap<string, HostsEntry> = new Map();

  constructor(path: string) {
    this.#path = path;
  }

  async find(name: string): Promise<HostsEntry | undefined> {
    await this.#refresh();
    return this.#names.get(name.toLowerCase());
  }

  async #refresh(): Promise<void> {
    try {
      const { mtimeMs, size, ino } = await stat(this.#path);
      const version = `${ino}:${mtimeMs}:${size}`;
      if (version === this.#version) return;
      this.#names = parseHosts(await readFile(this.#path, 'utf8'));
      this.#version = version;
    } catch {
      // No readable hosts file means no names from it; DNS still answers.
      this.#names = new Map();
      this.#version = '';
    }
  }
}

/** Lines of `address name [alias …]`; `#` begins a comment. Lines without a valid address are passed over. */
function parseHosts(text: string): ReadonlyMap<string, HostsEntry> {
  const names = new Map<string, { ipv4: string[]; ipv6: string[] }>();
  for (const line of text.split('\n')) {
    const [address = '', ...aliases] = (line.split('#')[0] ?? '').trim().split(/\s+/);
    const family = isIP(address);
    if (family === 0) continue;
    for (const alias of aliases) {
      const key = alias.toLowerCase();
      const entry = names.get(key) ?? { ipv4: [], ipv6: [] };
      names.set(key, entry);
      (family === 4 ? entry.ipv4 : entry.ipv6).push(address);
    }
  }
  return names;
}
