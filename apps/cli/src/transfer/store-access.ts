import { makeChanges } from '@apisix-ts/admin';
import type { MakeChanges } from '@apisix-ts/admin';
import type { CheckContext, Settings, StoreSnapshot } from '@apisix-ts/config';
import { GatewayError } from '@apisix-ts/errors';
import type { StoreContext } from '@apisix-ts/gateway';
import type { CommandContext } from '../command.ts';
import { findHome } from '../home.ts';
import type { Options } from '../options.ts';
import { readRecord } from '../run-record.ts';
import { findProcess, readPid } from '../running-gateway.ts';
import { checkSettings } from '../settings-check.ts';
import { openAdminClient } from './admin-client.ts';

/** The store of an installation, by whichever way leads to it. */
export interface StoreAccess {
  /** What it is, for people. */
  readonly name: string;
  readonly keyring: readonly string[];
  readonly checkContext: CheckContext;
  load(): Promise<StoreSnapshot>;
  readonly make: MakeChanges;
  /** How many changes `make` takes well. */
  readonly atOnce: number;
  close(): Promise<void>;
}

/** To etcd one write after the other would take a round trip each, and the embedded store writes those of a turn at once. */
const directAtOnce = 200;

/**
 * The store that config.yaml names. An embedded one belongs to the gateway that runs with it, so the way leads through
 * that one's Admin API; otherwise the store is opened by this process.
 * @throws GatewayError `SETTINGS_*`, `STORE_*`, `ADMIN_API_UNUSABLE`.
 */
export async function openStoreAccess(
  context: CommandContext,
  { home: homeOption, config }: Pick<Options, 'home' | 'config'>,
): Promise<StoreAccess> {
  const home = findHome(homeOption, context.env, context.cwd);
  // Loaded when needed: the packages bring the whole gateway along.
  const { describeStore, openStore } = await import('@apisix-ts/gateway');
  const { checkContextOf, keyringOf } = await import('@apisix-ts/runtime');
  const running = await runningConfig(context, home.path);
  const { settings } = checkSettings(context, home, config ?? running);
  const shared = {
    checkContext: checkContextOf(settings),
    keyring: keyringOf(settings),
    name: describeStore(settings, home.path, context.env),
  };
  if (running !== undefined && config === undefined && settings.deployment.config_provider === 'embedded') {
    return { ...shared, ...(await openAdminClient(settings, home.path)) };
  }

  if (settings.deployment.rules === 'api') {
    throw new GatewayError(
      'STORE_DENIED',
      'the configuration is in the memory of the running gateway: read it with GET /apisix/admin/configs and write it with PUT',
    );
  }
  const store = await openStore(settings, { home: home.path, env: context.env, log: warn(context) });
  return {
    ...shared,
    load: () => store.load(new AbortController().signal),
    async make(changes) {
      const { writer } = store;
      if (writer === undefined) throw unwritable(settings, shared.name);
      return makeChanges(changes, { writer });
    },
    atOnce: directAtOnce,
    close: () => store.close(),
  };
}

/** The file that a running gateway was started with; undefined when none runs. */
async function runningConfig({ signals }: CommandContext, home: string): Promise<string | undefined> {
  const pid = readPid(home);
  if (pid === undefined || findProcess(home, pid, signals) === 'gone') return undefined;
  return readRecord(home, pid)?.config;
}

/** What a store has to say while it is opened and read. */
function warn({ stderr }: CommandContext): StoreContext['log'] {
  return (level, message, fields = {}) => {
    if (level !== 'warn' && level !== 'error') return;
    const { reason } = fields;
    stderr.write(`warning: ${message}${typeof reason === 'string' ? `: ${reason}` : ''}\n`);
  };
}

function unwritable({ deployment }: Settings, name: string): GatewayError {
  return new GatewayError(
    'STORE_DENIED',
    `${name} cannot be written with the role ${deployment.role} and the provider ${deployment.config_provider}`,
  );
}
