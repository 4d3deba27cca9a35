import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const END_PATIENCE_MS = 5000;

export interface ProgramOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** The only CPU it may run on. Default: any. */
  readonly cpu?: number;
  readonly stdio: StdioOptions;
}

/** All that a run would leave behind: a temporary folder, programs, and servers. `close` clears it, newest first. */
export class Workbench {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'gateway-bench-'));
  readonly #closers: (() => Promise<void> | void)[] = [];
  #closing: Promise<void> | undefined;

  /** Starts a program. One that is pinned is still the direct child: taskset becomes it. */
  spawn({ command, args, cpu, stdio }: ProgramOptions): ChildProcess {
    if (this.#closing !== undefined) throw new Error('the run was interrupted');
    const child =
      cpu === undefined
        ? spawn(command, args, { stdio })
        : spawn('taskset', ['--cpu-list', String(cpu), command, ...args], { stdio });
    this.onClose(() => endProgram(child));
    return child;
  }

  /** To be called when the run is over, however it ends. */
  onClose(closer: () => Promise<void> | void): void {
    this.#closers.push(closer);
  }

  /** Idempotent. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    for (const closer of this.#closers.reverse()) await closer();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Asks a program to end, and insists after a while. Idempotent. */
export async function endProgram(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), END_PATIENCE_MS);
  await exited;
  clearTimeout(timer);
}
