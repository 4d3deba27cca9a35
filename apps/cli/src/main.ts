#!/usr/bin/env node
import { systemClock } from '@apisix-ts/config';
import { runCommandLine } from './command-line.ts';
import { createConfirm } from './confirm.ts';
import { findGatewayProgram } from './gateway-program.ts';
import { processSignals } from './signals.ts';

// Whoever reads has seen enough, as `head` has.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

process.exitCode = await runCommandLine(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  stdout: process.stdout,
  stderr: process.stderr,
  confirm: createConfirm(process.stdin, process.stderr),
  clock: systemClock,
  signals: processSignals,
  gateway: findGatewayProgram(),
});
