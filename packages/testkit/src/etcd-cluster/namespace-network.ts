import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import type { MemberNetwork } from './member-network.ts';

const run = promisify(execFile);
let made = 0;

/**
 * A network namespace for each member and one with a bridge between them; nothing outside of these is touched. A member
 * is isolated by taking its link down.
 * @returns undefined where they cannot be made: not root, no `ip`, or a container that forbids it.
 */
export async function openNamespaceNetwork(size: number): Promise<MemberNetwork | undefined> {
  made += 1;
  const hub = `etcd-${process.pid}-${made}`;
  const members = Array.from({ length: size }, (_, index) => `${hub}-${index}`);
  const names = [hub, ...members];
  // A test that is ended before it closes its cluster leaves none behind. Synchronous: nothing else runs at exit.
  const removeWithUs = (): void => {
    for (const name of names) spawnSync('ip', ['netns', 'delete', name], { stdio: 'ignore' });
  };

  async function close(): Promise<void> {
    process.off('exit', removeWithUs);
    for (const name of names) {
      // One that is not there needs no removing.
      await run('ip', ['netns', 'delete', name]).catch(() => {});
    }
  }

  process.on('exit', removeWithUs);
  try {
    await removeAbandoned();
    for (const name of names) await run('ip', ['netns', 'add', name]);
    await run('ip', ['-n', hub, 'link', 'add', 'bridge', 'type', 'bridge']);
    await run('ip', ['-n', hub, 'link', 'set', 'bridge', 'up']);
    for (const [index, name] of members.entries()) {
      const end = `member${index}`;
      await run('ip', ['-n', hub, 'link', 'add', end, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name]);
      await run('ip', ['-n', hub, 'link', 'set', end, 'master', 'bridge', 'up']);
      await run('ip', ['-n', name, 'address', 'add', `${addressOf(index)}/24`, 'dev', 'eth0']);
      for (const link of ['lo', 'eth0']) await run('ip', ['-n', name, 'link', 'set', link, 'up']);
    }
  } catch {
    // There are proxies for machines that cannot do this.
    await close();
    return undefined;
  }

  const setLink = async (index: number, state: 'up' | 'down'): Promise<void> => {
    await run('ip', ['-n', hub, 'link', 'set', `member${index}`, state]);
  };
  return {
    kind: 'network namespaces',
    places: members.map((name, index) => {
      const url = `http://${addressOf(index)}:2380`;
      return { listenUrl: url, peerUrl: url, runner: ['ip', 'netns', 'exec', name] };
    }),
    isolate: (index) => setLink(index, 'down'),
    async heal() {
      for (const index of members.keys()) await setLink(index, 'up');
    },
    close,
  };
}

/** Those of a process that was killed, and could not remove its own. */
async function removeAbandoned(): Promise<void> {
  const { stdout } = await run('ip', ['netns', 'list']);
  for (const [name, pid] of stdout.matchAll(/^etcd-(\d+)-\d+(?:-\d+)?/gm)) {
    if (existsSync(`/proc/${pid}`)) continue;
    // Another run may have been faster.
    await run('ip', ['netns', 'delete', name]).catch(() => {});
  }
}

/** In the range for documentation: it is nobody's. */
function addressOf(index: number): string {
  return `192.0.2.${index + 1}`;
}
