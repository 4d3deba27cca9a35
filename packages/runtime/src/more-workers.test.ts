import { readFileSync } from 'node:fs';
import { connectPeer, openEcho } from '@apisix-ts/testkit';
import type { TestServer } from '@apisix-ts/testkit';
import type { Settings } from '@apisix-ts/config';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openGateway } from './testing/open-gateway.ts';
import type { OpenGateway } from './testing/open-gateway.ts';

let echo: TestServer;

beforeAll(async () => {
  echo = await openEcho();
});

afterAll(() => echo.close());

function withWorkers(opened: OpenGateway, worker_processes: number): Settings {
  const settings = opened.withPorts(opened.port);
  return { ...settings, nginx_config: { ...settings.nginx_config, worker_processes } };
}

describe.runIf(process.platform === 'linux')('a reload with more workers', () => {
  test('starts them beside those that serve, and each listens', async () => {
    const opened = await openGateway({ workers: 1 });

    const pending = await opened.gateway.reload(withWorkers(opened, 3));

    expect(pending).toEqual([]);
    expect(opened.gateway.status()).toMatchObject({ workerCount: 3 });
    expect([...opened.gateway.status().workers.keys()]).toEqual([0, 1, 2]);
    expect(listenersAt(opened.port)).toBe(3);
  });

  test('refuses no connection meanwhile, and routes each', async () => {
    const opened = await openGateway({ workers: 1 });
    await opened.put('stream_routes/1', { upstream: { nodes: { [`127.0.0.1:${echo.port}`]: 1 } } });
    const grown = new AbortController();
    const storm = async (): Promise<void> => {
      while (!grown.signal.aborted) await comesAndGoes(opened.port);
    };

    const clients = [storm(), storm(), storm(), storm()];
    await opened.gateway.reload(withWorkers(opened, 3));
    grown.abort();
    await Promise.all(clients);
    await Promise.all(Array.from({ length: 20 }, () => comesAndGoes(opened.port)));
  });

  test('tells that fewer wait for a restart', async () => {
    const opened = await openGateway({ workers: 2 });

    expect(await opened.gateway.reload(withWorkers(opened, 1))).toEqual(['nginx_config.worker_processes']);
    expect(opened.gateway.status().workerCount).toBe(2);
  });
});

async function comesAndGoes(port: number): Promise<void> {
  const client = await connectPeer(port);
  client.end('hello');
  expect(await client.rest()).toMatchObject({ bytes: 5, ending: 'end' });
}

/** Sockets of this machine that listen there, as Linux tells. */
function listenersAt(port: number): number {
  const address = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  const lines = readFileSync('/proc/net/tcp', 'utf8').split('\n');
  return lines.filter((line) => line.includes(`${address}00000000:0000 0A`)).length;
}
