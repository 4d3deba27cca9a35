import { randomUUID } from 'node:crypto';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '@apisix-ts/testkit';

// Its first call opens the listener by which this process has its block of ports; it stays, and is no leak.
await freePort();

/** Handed down to every process that is started from here, also to those that detach themselves. */
const markName = 'APISIX_TS_TEST_RUN';

export interface LeakCheck {
  /**
   * What is there now and was not before: processes started from this one (containers' supervisors among them), and
   * this process's own sockets and files. Waits up to half a minute for it to go; an empty list is a clean end.
   */
  leftovers(): Promise<readonly string[]>;
}

/** Looks at what is there now; call it before anything is started. Needs Linux's /proc. */
export function openLeakCheck(): LeakCheck {
  const mark = `${markName}=${(process.env[markName] ??= randomUUID())}`;
  const before = new Set([...markedProcesses(mark), ...openSocketsAndFiles(process.pid)].map(([id]) => id));

  return {
    async leftovers() {
      const deadline = Date.now() + 30_000;
      for (;;) {
        const now = [...markedProcesses(mark), ...openSocketsAndFiles(process.pid)];
        const left = now.filter(([id]) => !before.has(id));
        if (left.length === 0) return [];
        if (Date.now() > deadline) return left.flatMap(([, what]) => what ?? []);
        await pause(50);
      }
    },
  };
}

/** An identity that is never used again, and what to tell a person; undefined as long as nobody can say whose it is. */
type Found = readonly [id: string, what: string | undefined];

function markedProcesses(mark: string): Found[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid)
    .flatMap((pid): Found[] => {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
        if (environment === '') {
          // It is just exchanging its program; or it has none, as processes of the kernel, and this throws.
          readlinkSync(`/proc/${pid}/exe`);
          return [[`process ${pid}`, undefined]];
        }
        if (!environment.split('\0').includes(mark)) return [];
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        return [[`process ${pid}`, `process ${pid}: ${command}`]];
      } catch {
        return []; // It has ended, or belongs to somebody else.
      }
    });
}

function openSocketsAndFiles(pid: number): Found[] {
  const listening = listeningSockets();
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd): Found[] => {
    try {
      const target = readlinkSync(`/proc/${pid}/fd/${fd}`);
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      const isFile = /^\/(?!dev\/|proc\/)/.test(target);
      if (inode === undefined && !isFile) return [];
      const port = inode === undefined ? undefined : listening.get(inode);
      const what = port === undefined ? target : `listening socket on port ${port}`;
      return [[target, `open in this process: ${what}`]];
    } catch {
      return []; // Closed since the folder was listed.
    }
  });
}

/** The port of every listening TCP socket of the machine, by inode. */
function listeningSockets(): Map<string, number> {
  const lines = ['tcp', 'tcp6'].flatMap((file) =>
    readFileSync(`/proc/net/${file}`, 'utf8').split('\n').slice(1),
  );
  const sockets = new Map<string, number>();
  for (const line of lines) {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    if (state === '0A' && local !== undefined && inode !== undefined) {
      sockets.set(inode, Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16));
    }
  }
  return sockets;
}
