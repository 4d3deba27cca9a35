import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { workspaceEnv } from '../setup/paths.mjs';
import { Problem } from '../setup/problem.mjs';
import { withProgress } from '../setup/progress.mjs';
import { run } from '../setup/run.mjs';

/** The Debian 12 packages that the tests need, each with the command that shows it is there, however it came. */
const commandOf = {
  'etcd-server': 'etcd',
  'etcd-client': 'etcdctl',
  'mariadb-client': 'mariadb',
  'mariadb-server-core': 'mariadbd',
  'docker.io': 'dockerd',
  'docker-compose': 'docker-compose',
  debootstrap: 'debootstrap',
  'bind9-dnsutils': 'dig',
  'dnsmasq-base': 'dnsmasq',
  haproxy: 'haproxy',
  'redis-server': 'redis-server',
  'redis-tools': 'redis-cli',
  prometheus: 'prometheus',
  mosquitto: 'mosquitto',
  'mosquitto-clients': 'mosquitto_sub',
  curl: 'curl',
  openssl: 'openssl',
  nginx: 'nginx',
  // It has no command: its module, from a folder of the PATH.
  'libnginx-mod-stream': '../lib/nginx/modules/ngx_stream_module.so',
  'postgresql-15': '../lib/postgresql/15/bin/postgres',
  'postgresql-client-15': 'psql',
  socat: 'socat',
  zsh: 'zsh',
  fish: 'fish',
  rsyslog: 'rsyslogd',
  logrotate: 'logrotate',
  systemd: 'systemd-analyze',
};

/** Installs what is missing when root, else says what to install. Starts no service. */
export async function installDebianPackages() {
  const missing = Object.keys(commandOf).filter((name) => !isOnPath(commandOf[name]));
  if (missing.length === 0) return;
  const command = `apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  if (process.getuid() !== 0 || !isOnPath('apt-get')) {
    throw new Problem(
      `The tests need programs that are missing here; install them as root with:\n${command}`,
    );
  }
  await withProgress(`Installing ${missing.join(', ')}`, () =>
    withoutServices(() => aptGet(command, missing)),
  );
}

async function aptGet(command, missing) {
  const env = { ...workspaceEnv(), DEBIAN_FRONTEND: 'noninteractive' };
  const options = ['-q', '-o', 'DPkg::Lock::Timeout=300'];
  const update = await run('apt-get', [...options, 'update'], { env });
  const install = await run('apt-get', [...options, 'install', '-y', '--no-install-recommends', ...missing], {
    env,
  });
  if (install.status === 0) return;
  throw new Problem(
    `${update.output}${install.output}\nThe packages could not be installed; try it by hand:\n${command}`,
  );
}

/** While `work` runs, Debian's policy script refuses every start of a service; one that was there already stays. */
async function withoutServices(work) {
  const policy = '/usr/sbin/policy-rc.d';
  const isOurs = !existsSync(policy);
  if (isOurs) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await work();
  } finally {
    if (isOurs) rmSync(policy, { force: true });
  }
}

function isOnPath(command) {
  return workspaceEnv()
    .PATH.split(':')
    .some((dir) => existsSync(join(dir, command)));
}
