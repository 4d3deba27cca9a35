import type { Command } from '../command.ts';
import { createCompletion } from './completion.ts';
import { connections } from './connections.ts';
import { diff } from './diff.ts';
import { drain } from './drain.ts';
import { explain } from './explain.ts';
import { exportCommand } from './export.ts';
import { createHelp } from './help.ts';
import { importCommand } from './import.ts';
import { initEtcd } from './init-etcd.ts';
import { init } from './init.ts';
import { logs } from './logs.ts';
import { quit } from './quit.ts';
import { reload } from './reload.ts';
import { restart } from './restart.ts';
import { start } from './start.ts';
import { status } from './status.ts';
import { stop } from './stop.ts';
import { test } from './test.ts';
import { upgrade } from './upgrade.ts';
import { version } from './version.ts';

const actions: readonly Command[] = [
  init,
  initEtcd,
  start,
  stop,
  quit,
  restart,
  reload,
  upgrade,
  test,
  status,
  explain,
  exportCommand,
  importCommand,
  diff,
  connections,
  drain,
  logs,
  createCompletion(() => commands),
  version,
];

/** Every command there is, in the order of the help. */
export const commands: readonly Command[] = [createHelp(actions), ...actions];
