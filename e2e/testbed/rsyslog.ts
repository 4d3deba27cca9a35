import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@apisix-ts/testkit';
import { startProcess } from './process.ts';

/** A real rsyslog on loopback. */
export interface Rsyslog {
  /** Of both its TCP and its UDP socket. */
  readonly port: number;
  /**
   * Settles when it got such a message, earlier ones included. A line for each: how it came, its priority in words, the program,
   * the process, the time and the message.
   */
  received(pattern: RegExp): Promise<void>;
  /** All lines so far. */
  lines(): readonly string[];
  /** Idempotent. */
  close(): Promise<void>;
}

const lineTemplate =
  '%inputname% %syslogfacility-text%.%syslogseverity-text% %app-name% %procid% %timereported:::date-rfc3339% %msg%\\n';

export async function startRsyslog(): Promise<Rsyslog> {
  const folder = await mkdtemp(join(tmpdir(), 'rsyslog-'));
  const port = await freePort();
  const file = join(folder, 'rsyslog.conf');
  const written = join(folder, 'written');
  await writeFile(written, '');
  await writeFile(
    file,
    `global(workDirectory="${folder}" processInternalMessages="on")
module(load="imtcp")
module(load="imudp")
template(name="line" type="string" string="${lineTemplate}")
input(type="imtcp" address="127.0.0.1" port="${port}")
input(type="imudp" address="127.0.0.1" port="${port}")
action(type="omfile" file="${written}" template="line")
`,
  );
  const server = await startProcess('rsyslogd', ['-n', '-f', file, '-i', join(folder, 'pid')]);
  const reader = await startProcess('tail', ['--lines=+1', '--follow', written]);
  const close = async (): Promise<void> => {
    await server.stop();
    await reader.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await reader.waitForOutput(/ start$/m);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    port,
    received: (pattern) => reader.waitForOutput(pattern),
    lines: () => reader.output().trimEnd().split('\n'),
    close,
  };
}
