import { resolve } from 'node:path';
import type { Settings } from '@apisix-ts/config';
import type { CommandContext } from './command.ts';

/**
 * Checks that etcd can be used, and writes the entries that APISIX expects there. Does nothing when the configuration
 * is kept elsewhere, and for a data plane, which only reads: whoever writes has prepared etcd.
 * @returns false when etcd is not fit; why has been printed then.
 * @throws GatewayError `SETTINGS_FILE_UNREADABLE`, `SETTINGS_INVALID`: a certificate or a key.
 */
export async function prepareEtcd(context: CommandContext, settings: Settings): Promise<boolean> {
  const { apisix, deployment } = settings;
  if (deployment.config_provider !== 'etcd') return true;
  if (deployment.role === 'data_plane') {
    const notice =
      'access from the data plane to etcd should be read-only, skip initializing the data of etcd';
    context.stdout.write(`${notice}\n`);
    return true;
  }
  // Loaded when needed: most installations have no etcd.
  const { etcdOptions, initEtcd } = await import('@apisix-ts/store-etcd');
  const authorities = apisix.ssl.ssl_trusted_certificate;
  const caFile = authorities === 'system' ? undefined : resolve(context.cwd, authorities);
  const { ok } = await initEtcd(etcdOptions(deployment.etcd, caFile), {
    out: (line) => context.stdout.write(`${line}\n`),
    err: (line) => context.stderr.write(`${line}\n`),
  });
  return ok;
}
