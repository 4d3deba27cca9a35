import type { KeyPath } from '../source/key-path.ts';
import { readHttpListeners, readHttpsListeners } from './listeners.ts';
import type { Problem } from '../source/problem.ts';
import type { Settings } from './settings.ts';

/**
 * Ports that two servers would share. Only numbers are compared, as in the reference: addresses are not. Port 0
 * conflicts with nothing.
 */
export function findPortConflicts(settings: Settings): readonly Problem[] {
  const problems: Problem[] = [];
  const reserved = new Map<number, string>();

  for (const { name, port, path } of servers(settings)) {
    const owner = reserved.get(port);
    if (owner !== undefined)
      problems.push(conflict(`${name} port ${port} conflicts with ${owner} port`, path));
    else if (port !== 0) reserved.set(port, name);
  }
  const web = [
    { scheme: 'http', listeners: readHttpListeners(settings.apisix) },
    { scheme: 'https', listeners: readHttpsListeners(settings.apisix) },
  ];
  for (const { scheme, listeners } of web) {
    for (const { port, path } of listeners.ports) {
      const owner = reserved.get(port);
      if (owner === undefined) continue;
      problems.push(conflict(`${scheme} listen port ${port} conflicts with ${owner} port`, path));
    }
  }
  return problems;
}

/** The gateway's own servers, in the reference's order. */
function servers({ apisix, deployment, plugin_attr: { prometheus } }: Settings): readonly {
  readonly name: string;
  readonly port: number;
  readonly path: KeyPath;
}[] {
  const { admin_listen: admin } = deployment.admin;
  return [
    ...(apisix.enable_admin
      ? [{ name: 'admin', port: admin.port, path: ['deployment', 'admin', 'admin_listen', 'port'] }]
      : []),
    ...(apisix.status === undefined
      ? []
      : [{ name: 'status', port: apisix.status.port, path: ['apisix', 'status', 'port'] }]),
    ...(apisix.enable_control
      ? [{ name: 'control', port: apisix.control.port, path: ['apisix', 'control', 'port'] }]
      : []),
    ...(prometheus.enable_export_server
      ? [
          {
            name: 'prometheus',
            port: prometheus.export_addr.port,
            path: ['plugin_attr', 'prometheus', 'export_addr', 'port'],
          },
        ]
      : []),
  ];
}

function conflict(text: string, path: KeyPath): Problem {
  return { code: 'SETTINGS_PORT_CONFLICT', text, path, expected: 'a port of its own' };
}
