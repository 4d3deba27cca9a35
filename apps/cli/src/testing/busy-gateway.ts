import { once } from 'node:events';
import { freePort } from '@apisix-ts/testkit';
import { expect } from 'vitest';
import { runCommandLine } from '../command-line.ts';
import type { CommandContext } from '../command.ts';
import { apisix } from './apisix.ts';
import { createInstallation, streamConfig } from './installation.ts';
import { openConnection, openListener } from './listener.ts';
import { putResources } from './put-resources.ts';
import { testContext } from './test-context.ts';

export interface BusyGateway {
  /** Of the listener. */
  readonly port: number;
  /** Of the node behind the route `echo`. */
  readonly nodePort: number;
  /** Opens a connection and waits until it is served. @returns settles when it ends. */
  readonly connect: () => Promise<{ readonly ended: Promise<unknown> }>;
  /** Runs a command line within this process. */
  readonly run: (line: readonly string[], context?: Partial<CommandContext>) => Promise<Outcome>;
}

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A gateway in the background, whose one route leads to a server that answers with what it gets. */
export async function openBusyGateway(): Promise<BusyGateway> {
  const [port, admin, control] = await Promise.all([freePort(), freePort(), freePort()]);
  const { home } = await createInstallation(streamConfig({ tcp: [port], admin, control }));
  expect(await apisix(['start', '-p', home])).toMatchObject({ status: 0 });
  const nodePort = await openListener((socket) => socket.pipe(socket));
  const upstream = { type: 'roundrobin', nodes: { [`127.0.0.1:${nodePort}`]: 1 } };
  await putResources({ admin, control }, { 'stream_routes/echo': { upstream } });
  return {
    port,
    nodePort,
    async connect() {
      const connection = await openConnection(port);
      const ended = once(connection, 'end');
      connection.write('hello');
      await once(connection, 'data');
      return { ended };
    },
    async run(line, parts = {}) {
      const context = testContext(parts);
      const status = await runCommandLine([...line, '-p', home], context);
      return { status, ...context.printed };
    },
  };
}
