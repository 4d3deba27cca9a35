import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { runCommand, runOrFail, startProcess } from './process.ts';
import type { CommandResult, RunningProcess } from './process.ts';

/** A machine of its own that systemd has started: this one's files, on which what is written is gone afterwards. */
export interface SystemdMachine {
  /** Runs commands as root, in /srv. */
  run(commands: string): Promise<CommandResult>;
  /** Ends every process in it. Idempotent. */
  close(): Promise<void>;
}

export interface NoSystemdMachine {
  /** Half a sentence: why there is none. */
  readonly missing: string;
}

const START_LIMIT_MS = 180_000;

/**
 * Arguments: a folder to work in, the name of its cgroup, what becomes /srv. Devices are the harmless ones, and the kernel's
 * settings cannot be written, as in a container.
 */
const outside = `
mount -t tmpfs none "$1"
mkdir "$1/upper" "$1/work" "$1/root" "$1/cgroup"
mount -t cgroup2 none "$1/cgroup"
mkdir "$1/cgroup/$2"
echo $$ > "$1/cgroup/$2/cgroup.procs"
umount "$1/cgroup"
mount -t overlay none -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount --bind "$3" "$1/root/srv"
cd "$1/root"
exec unshare --cgroup --pid --fork sh -ec "$INSIDE"
`;

const inside = `
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs dev
for device in full null random tty urandom zero; do
  touch dev/$device
  mount --bind /dev/$device dev/$device
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
ip link set lo up
rm -rf etc/systemd/system/*.wants
mkdir -p before
pivot_root . before
umount -l before
exec env container=unshare /lib/systemd/systemd --system --unit=basic.target
`;

/** It takes root, and a kernel with cgroups of version 2. @param srv is its folder /srv. */
export async function openSystemdMachine(srv: string): Promise<SystemdMachine | NoSystemdMachine> {
  if (process.getuid?.() !== 0) return { missing: 'only root can start it' };
  const folder = await mkdtemp(join(tmpdir(), 'systemd-'));
  const cgroup = `apisix-ts-${randomUUID()}`;
  let first: RunningProcess | undefined;
  const end = async (): Promise<void> => {
    if (first !== undefined) {
      // The first process of the outer namespace, with which everything in it ends.
      for (const pid of await childrenOf(first.pid)) process.kill(pid, 'SIGKILL');
      await first.exited;
    }
    await removeCgroup(folder, cgroup);
    await rm(folder, { recursive: true, force: true });
  };
  let ending: Promise<void> | undefined;
  const close = (): Promise<void> => (ending ??= end());
  try {
    // systemd clears its own death signal, so a namespace around it has one.
    const unshare = ['unshare', '--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'];
    const args = ['--pdeathsig', 'KILL', ...unshare, 'sh', '-ec', outside, 'sh', folder, cgroup, srv];
    first = await startProcess('setpriv', args, { env: { INSIDE: inside } });
    const run = await untilRunning(first);
    return { run, close };
  } catch (error) {
    await close();
    return { missing: `systemd did not start: ${String(error)}` };
  }
}

async function untilRunning(first: RunningProcess): Promise<SystemdMachine['run']> {
  const deadline = Date.now() + START_LIMIT_MS;
  let hasEnded = false;
  void first.exited.then(() => (hasEnded = true));
  for (;;) {
    const [outer = 0] = await childrenOf(first.pid);
    const [systemd] = await childrenOf(outer);
    const run = (commands: string): Promise<CommandResult> => runIn(systemd ?? 0, commands);
    const { stdout } =
      systemd === undefined ? { stdout: '' } : await run('systemctl is-system-running --wait');
    if (/^(running|degraded)$/m.test(stdout)) return run;
    if (hasEnded || Date.now() > deadline) throw new Error(`${stdout}${first.output().slice(-2_000)}`);
    await pause(20);
  }
}

/** Nothing of this process's environment is there. */
function runIn(systemd: number, commands: string): Promise<CommandResult> {
  const namespaces = ['--mount', '--net', '--pid', '--cgroup', '--root', '--wd'];
  const env = ['env', '-i', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];
  const shell = ['sh', '-ec', `cd /srv\n${commands}`];
  return runCommand('nsenter', [`--target=${systemd}`, ...namespaces, ...env, ...shell]);
}

async function childrenOf(pid: number): Promise<readonly number[]> {
  // It may have ended, or not begun.
  const pids = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return pids.split(' ').filter(Boolean).map(Number);
}

async function removeCgroup(folder: string, cgroup: string): Promise<void> {
  const script = `mount -t cgroup2 none "$1"; test ! -d "$1/$2" || find "$1/$2" -depth -type d -exec rmdir {} +`;
  await runOrFail('unshare', ['--mount', 'sh', '-ec', script, 'sh', folder, cgroup]);
}
