import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../programs/free-ports.ts';
import { versionOf } from '../programs/installed.ts';
import { waitForPort } from '../programs/wait-for-port.ts';
import type { ProxyKind } from './proxy.ts';

export const haproxyVersion: string | undefined = versionOf('haproxy', '-v');

/** HAProxy in tcp mode: one thread, no log, TCP_NODELAY as by default, splicing where it finds that it pays. */
export const haproxy: ProxyKind = {
  name: 'HAProxy tcp',
  missing: haproxyVersion === undefined ? 'haproxy' : undefined,
  async start(workbench, backends, cpu) {
    const [echoPort = 0, sinkPort = 0] = await freePorts(2);
    const config = join(workbench.folder, 'haproxy.cfg');
    writeFileSync(
      config,
      `global
  nbthread 1
  maxconn 4000
defaults
  mode tcp
  backlog 511
  option splice-auto
  timeout connect 60s
  timeout client 60s
  timeout server 60s
frontend echo
  bind 127.0.0.1:${echoPort}
  default_backend echo
backend echo
${backends.echo.map((port) => `  server echo-${port} 127.0.0.1:${port}\n`).join('')}
frontend sink
  bind 127.0.0.1:${sinkPort}
  default_backend sink
backend sink
  server sink 127.0.0.1:${backends.sink}
`,
    );
    const args = ['-db', '-f', config];
    const child = workbench.spawn({ command: 'haproxy', args, cpu, stdio: ['ignore', 'ignore', 'pipe'] });
    await waitForPort('HAProxy', child, echoPort);
    return { pid: child.pid ?? -1, echoPort, sinkPort };
  },
};
