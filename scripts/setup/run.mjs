import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { root, workspaceEnv } from './paths.mjs';

/** The process groups started here that may still hold a process, by the pid of their first. */
const groups = new Set();

/** Set by a signal: what runs is being ended and gets the time to end what it started; nothing follows it. */
let isEnding = false;

/** What a signal's end may take: an engine stops its containers first. */
const endLimitMs = 15_000;

/**
 * Runs a program in a process group of its own, so that it and all it started end together.
 * @param options `env` and `cwd` as for `spawn` (default: the workspace's); `show`: it writes to the terminal itself.
 * @returns its exit status (128 when a signal ended it), what it wrote unless shown, and the command lines of the
 * processes that outlived it by two seconds and were killed.
 */
export function run(command, args, { env = workspaceEnv(), cwd = root, show = false } = {}) {
  return new Promise((resolve, reject) => {
    const stdio = ['ignore', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'];
    const child = spawn(command, args, { cwd, env, stdio, detached: true });
    const chunks = [];
    let cleanedUp;
    child.stdout?.on('data', (chunk) => chunks.push(chunk));
    child.stderr?.on('data', (chunk) => chunks.push(chunk));
    child.on('error', reject);
    child.on('spawn', () => groups.add(child.pid));
    child.on('exit', () => (cleanedUp = cleanUp(child.pid)));
    // The pipes close only after every process that holds them has ended, so this may come long after the exit.
    child.on('close', async (status) => {
      const leftBehind = await cleanedUp;
      if (!isEnding) resolve({ status: status ?? 128, output: Buffer.concat(chunks).toString(), leftBehind });
    });
  });
}

/**
 * On SIGINT, SIGTERM and SIGHUP: ends every group started by `run`, waits for them, and exits as the signal asks.
 * @returns what takes the handlers off again.
 */
export function endGroupsOnSignals() {
  const handlers = Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 }).map(([signal, number]) => {
    const handler = () => void endGroups().then(() => process.exit(128 + number));
    process.once(signal, handler);
    return () => process.off(signal, handler);
  });
  return () => handlers.forEach((takeOff) => takeOff());
}

async function cleanUp(group) {
  const leftBehind = await untilEmpty(group, isEnding ? endLimitMs : 2_000);
  if (leftBehind.length > 0) signalGroup(group, 'SIGKILL');
  groups.delete(group);
  return leftBehind;
}

async function endGroups() {
  isEnding = true;
  for (const pid of groups) signalGroup(pid, 'SIGTERM');
  await Promise.all([...groups].map((pid) => untilEmpty(pid, endLimitMs)));
  for (const pid of groups) signalGroup(pid, 'SIGKILL');
}

/** Waits until a group holds no process, or for that long. @returns the command lines of those still there. */
async function untilEmpty(group, limitMs) {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const members = membersOf(group);
    if (members.length === 0 || Date.now() > deadline) return members;
    await delay(20);
  }
}

function membersOf(group) {
  if (process.platform !== 'linux') return signalGroup(group, 0) ? [`process group ${group}`] : [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        // pid (name) state parent group …; the name may itself hold spaces and parentheses.
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        const [state, , ofGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        if (Number(ofGroup) !== group || state === 'Z') return [];
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()];
      } catch {
        return []; // Ended while it was being read.
      }
    });
}

function signalGroup(group, signal) {
  try {
    return process.kill(-group, signal);
  } catch {
    return false; // Nobody left to signal.
  }
}
