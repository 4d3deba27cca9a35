import { connectPeer, openEcho, startEtcd } from '@apisix-ts/testkit';
import type { EtcdServer } from '@apisix-ts/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readRunRecord } from './run-record.ts';
import { configYaml, createInstallation } from './testing/installation.ts';
import type { Installation, Ports } from './testing/installation.ts';
import { untilApplied } from './testing/until-applied.ts';

const routeTo = (port: number): object => ({
  upstream: { type: 'roundrobin', nodes: { [`127.0.0.1:${port}`]: 1 } },
});

describe('a control plane and a data plane on one etcd', () => {
  test('the one is told and the other serves, as a user who may only read', async () => {
    const [etcd, echo] = [await guardedEtcd(), await openEcho()];
    onTestFinished(() => echo.close());
    const control = await installed('control_plane', etcd, 'writer');
    const data = await installed('data_plane', etcd, 'reader');
    const route = `${adminUrl(control.ports)}/stream_routes/1`;

    const put = await fetch(route, { method: 'PUT', body: JSON.stringify(routeTo(echo.port)) });
    const stored: unknown = await (await fetch(route)).json();
    await untilApplied(data.ports.control, Object(stored).modifiedIndex);
    const client = await connectPeer(data.ports.stream);
    await client.send('hello');

    expect(put.status).toBe(201);
    expect((await client.take(5)).toString()).toBe('hello');
    client.destroy();
    expect(await data.read('logs/error.log')).not.toMatch(/\[(?:warn|error)\]/);
  });

  test('a control plane opens no port for traffic, and serves its Admin API whatever enable_admin says', async () => {
    const { home, ports } = await installed('control_plane', await guardedEtcd(), 'writer', (yaml) =>
      yaml.replace('apisix:', 'apisix:\n  enable_admin: false'),
    );

    await expect(connectPeer(ports.stream)).rejects.toThrow('ECONNREFUSED');
    await expect(connectPeer(ports.http)).rejects.toThrow('ECONNREFUSED');
    expect((await fetch(`${adminUrl(ports)}/stream_routes`)).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${ports.admin}/any`)).status).toBe(404);
    expect((await fetch(`http://127.0.0.1:${ports.control}/v1/config/status`)).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${ports.metrics}/apisix/prometheus/metrics`)).status).toBe(200);
    expect(readRunRecord(home)).toMatchObject({ listeners: [] });
  });

  test('a data plane has no Admin API, whatever enable_admin says', async () => {
    const { ports } = await installed('data_plane', await guardedEtcd(), 'reader', (yaml) =>
      yaml.replace('apisix:', 'apisix:\n  enable_admin: true'),
    );

    await expect(connectPeer(ports.admin)).rejects.toThrow('ECONNREFUSED');
    expect((await fetch(`http://127.0.0.1:${ports.http}/apisix/admin/routes`)).status).toBe(404);
  });
});

describe('a reload to another form', () => {
  test.for([
    ['control_plane', 'data_plane'],
    ['data_plane', 'control_plane'],
  ] as const)('from %s to %s waits for a restart', async ([role, other]) => {
    const etcd = await guardedEtcd();
    const installation = await installed(role, etcd, 'writer');
    const { home, ports, gateway, configure } = installation;
    const before = readRunRecord(home)?.listeners;

    await configure(roleYaml(ports, other, etcd, 'writer'));
    await gateway.reload();

    expect(readRunRecord(home)).toMatchObject({
      listeners: before,
      last_reload: { ok: true, pending: ['deployment.role'] },
    });
    const admin = connectPeer(ports.admin);
    if (role === 'data_plane') await expect(admin).rejects.toThrow('ECONNREFUSED');
    else (await admin).destroy();
  });

  test('and back again waits for nothing', async () => {
    const etcd = await guardedEtcd();
    const { home, ports, gateway, configure } = await installed('data_plane', etcd, 'writer');

    await configure(configYaml(ports));
    await gateway.reload();
    expect(readRunRecord(home)?.last_reload?.pending).toEqual(
      expect.arrayContaining(['deployment.role', 'deployment.config_provider']),
    );
    await configure(roleYaml(ports, 'data_plane', etcd, 'writer'));
    await gateway.reload();

    expect(readRunRecord(home)?.last_reload).toMatchObject({ ok: true, pending: [] });
  });
});

/** A gateway that runs, with the role and etcd's user. */
async function installed(
  role: 'control_plane' | 'data_plane',
  etcd: EtcdServer,
  user: 'reader' | 'writer',
  change: (yaml: string) => string = (yaml) => yaml,
): Promise<Installation & { readonly gateway: Awaited<ReturnType<Installation['start']>> }> {
  const installation = await createInstallation();
  await installation.configure(change(roleYaml(installation.ports, role, etcd, user)));
  return { ...installation, gateway: await installation.start() };
}

function roleYaml(ports: Ports, role: string, etcd: EtcdServer, user: string): string {
  return configYaml(ports).replace(
    'deployment:',
    `deployment:
  role: ${role}
  role_${role}: { config_provider: etcd }
  etcd: { host: ["${etcd.endpoint}"], user: ${user}, password: secret }`,
  );
}

function adminUrl({ admin }: Ports): string {
  return `http://127.0.0.1:${admin}/apisix/admin`;
}

/** Asks for a password, `secret`. The user `reader` may only read below `/apisix`, and `writer` write there too. */
async function guardedEtcd(): Promise<EtcdServer> {
  const etcd = await startEtcd();
  onTestFinished(() => etcd.close());
  const keys = { key: base64('/apisix/'), range_end: base64('/apisix0') };
  for (const [name, permType] of [
    ['reader', 'READ'],
    ['writer', 'READWRITE'],
  ]) {
    await etcd.request('auth/role/add', { name });
    await etcd.request('auth/role/grant', { name, perm: { permType, ...keys } });
    await etcd.request('auth/user/add', { name, password: 'secret' });
    await etcd.request('auth/user/grant', { user: name, role: name });
  }
  await etcd.request('auth/user/add', { name: 'root', password: 'secret' });
  await etcd.request('auth/user/grant', { user: 'root', role: 'root' });
  await etcd.request('auth/enable', {});
  return etcd;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
