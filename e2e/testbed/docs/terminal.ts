import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A shell on a machine of its own, as far as a gateway and its servers can tell. */
export interface Terminal {
  /**
   * Runs commands as if they were pasted: variables, the folder and programs in the background stay. Each command has to
   * succeed. @returns what was to be seen, and the first command that failed, or that `limitMs`
   * were not enough, after which nothing more can be run.
   */
  run(commands: string, limitMs: number): Promise<{ readonly output: string; readonly failed?: string }>;
  /** Ends every program that was started in it. */
  close(): Promise<void>;
}

export interface TerminalOptions {
  /** Where it begins. */
  readonly folder: string;
  /** For files of its own. */
  readonly tempFolder: string;
  readonly env: NodeJS.ProcessEnv;
  /** Addresses that this machine has besides its loopback addresses. */
  readonly addresses: readonly string[];
  /** Names in /etc/hosts, with their addresses. */
  readonly names: Readonly<Record<string, string>>;
  /** Folders of the system in which it may write, for as long as it is open. */
  readonly writes?: readonly string[];
}

const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user'];
const ownMachine = [...asRoot, '--net', '--mount', '--pid', '--mount-proc', '--fork', '--kill-child'];

/** Whether terminals can be opened here: it takes Linux, `ip`, and root or user namespaces. */
export function canOpenTerminals(): boolean {
  return spawnSync('unshare', [...ownMachine, 'ip', 'link', 'set', 'lo', 'up']).status === 0;
}

/** Its first process: reads names of scripts, and answers each with the first command that failed in it. */
const shell = `
ip link set lo up
for address in $ADDRESSES; do ip address add "$address/32" dev lo; done
mount --bind "$HOSTS" /etc/hosts
for folder in $WRITES; do
  layer=$(mktemp --directory --tmpdir="$LAYERS")
  mount -t tmpfs none "$layer"
  mkdir "$layer/upper" "$layer/work"
  mount -t overlay none -o "lowerdir=$folder,upperdir=$layer/upper,workdir=$layer/work" "$folder"
done
trap ': "\${failed:=$BASH_COMMAND}"' ERR
while read -r script; do
  failed=
  . "$script" < /dev/null > "$script.out" 2>&1
  printf '%s\\n' "\${failed//$'\\n'/ }"
done
`;

/**
 * Opens a terminal with a network, processes and an /etc/hosts of its own, so that every port is free, nothing else can
 * be reached, and nothing outlives it. It has loopback only.
 */
export async function openTerminal({
  folder,
  tempFolder,
  env,
  addresses,
  names,
  writes = [],
}: TerminalOptions): Promise<Terminal> {
  const hosts = join(tempFolder, 'hosts');
  const lines = Object.entries({ localhost: '127.0.0.1', ...names }).map(([name, to]) => `${to} ${name}\n`);
  await writeFile(hosts, lines.join(''));
  const child = spawn('unshare', [...ownMachine, 'bash', '--noprofile', '--norc', '-c', shell], {
    cwd: folder,
    env: {
      ...env,
      ADDRESSES: addresses.join(' '),
      HOSTS: hosts,
      LAYERS: tempFolder,
      WRITES: writes.join(' '),
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'close');
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let count = 0;

  return {
    async run(commands, limitMs) {
      count += 1;
      const script = join(tempFolder, `${count}.sh`);
      await writeFile(script, `${commands}\n`);
      child.stdin.write(`${script}\n`);
      const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
      const answer = await answers.next();
      clearTimeout(timer);
      const output = await readFile(`${script}.out`, 'utf8');
      const failed = answer.done === true ? `something that takes longer than ${limitMs} ms` : answer.value;
      return { output, ...(failed === '' ? {} : { failed }) };
    },
    async close() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
