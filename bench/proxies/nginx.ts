import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../programs/free-ports.ts';
import { versionOf } from '../programs/installed.ts';
import { waitForPort } from '../programs/wait-for-port.ts';
import type { ProxyKind } from './proxy.ts';

const STREAM_MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so';

export const nginxVersion: string | undefined = versionOf('nginx', '-v');

/** nginx's stream proxy: a master, one worker, no access log, TCP_NODELAY as by default. */
export const nginx: ProxyKind = {
  name: 'nginx stream',
  missing: nginxVersion !== undefined && existsSync(STREAM_MODULE) ? undefined : 'nginx libnginx-mod-stream',
  async start(workbench, backends, cpu) {
    const [echoPort = 0, sinkPort = 0] = await freePorts(2);
    const folder = join(workbench.folder, 'nginx');
    const config = join(folder, 'nginx.conf');
    mkdirSync(folder);
    writeFileSync(
      config,
      `load_module ${STREAM_MODULE};
user root;
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
events { worker_connections 10620; }
stream {
  access_log off;
  upstream echo { ${backends.echo.map((port) => `server 127.0.0.1:${port};`).join(' ')} }
  server { listen 127.0.0.1:${echoPort} backlog=511; proxy_pass echo; }
  server { listen 127.0.0.1:${sinkPort} backlog=511; proxy_pass 127.0.0.1:${backends.sink}; }
  server { listen 127.0.0.1:${echoPort} udp; proxy_pass 127.0.0.1:${backends.datagramEcho}; }
}
`,
    );
    const args = ['-p', folder, '-c', config, '-e', join(folder, 'error.log')];
    const child = workbench.spawn({ command: 'nginx', args, cpu, stdio: ['ignore', 'ignore', 'pipe'] });
    await waitForPort('nginx', child, echoPort);
    return { pid: child.pid ?? -1, echoPort, sinkPort, datagramPort: echoPort };
  },
};
