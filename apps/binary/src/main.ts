import { getAsset } from 'node:sea';
import { processSignals, runCommandLine } from '@apisix-ts/cli';
import { systemClock } from '@apisix-ts/config';
import { runGateway } from '@apisix-ts/gateway';
import { roleOf } from './role.ts';

const args = process.argv.slice(2);
if (roleOf(process.argv0, args) === 'gateway') {
  await runGateway({ workerProgram: { script: getAsset('worker', 'utf8') } });
} else {
  process.exitCode = await runCommandLine(args, {
    env: process.env,
    cwd: process.cwd(),
    stdout: process.stdout,
    stderr: process.stderr,
    clock: systemClock,
    signals: processSignals,
    // This file; it is called by the gateway's name then.
    gateway: { executable: process.execPath, args: [] },
  });
}
