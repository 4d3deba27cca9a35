import { describe, expect, test } from 'vitest';
import { openBusyGateway } from '../testing/busy-gateway.ts';
import { isServed } from '../testing/listener.ts';
import { drain } from './drain.ts';

describe('drain', () => {
  test('keeps new connections away, shows how many are left, and is undone', async () => {
    const { connect, run, nodePort } = await openBusyGateway();
    const node = `127.0.0.1:${nodePort}`;
    const connection = await connect();

    expect(await run(['drain', 'node', node])).toEqual({
      status: 0,
      stdout: `node ${node} gets no new connections; 1 connection may stay\n`,
      stderr: '',
    });
    const { stdout } = await run(['drain', 'list']);
    expect(stdout).toMatch(/^KIND +NAME +SINCE +ENDS +CONNECTIONS\n/);
    expect(stdout).toMatch(new RegExp(`\nnode +${node.replaceAll('.', '\\.')} +20\\S+Z +- +1\n$`));

    expect((await run(['drain', 'node', node, '--over', '1s'])).stdout).toBe(
      `node ${node} gets no new connections; 1 connection will be closed within 1 s\n`,
    );
    await connection.ended;

    expect((await run(['drain', 'undo', 'node', node])).stdout).toBe(
      `node ${node} gets new connections again\n`,
    );
    expect(JSON.parse((await run(['drain', 'list', '--json'])).stdout)).toEqual({ draining: [] });
    await connect();
  });

  test('closes a listener, and opens it again', async () => {
    const { run, port } = await openBusyGateway();

    await run(['drain', 'listener', String(port)]);
    expect(await isServed(port)).toBe(false);
    const explained = await run(['explain', '--port', String(port)]);
    expect(explained.status).toBe(1);
    expect(explained.stdout).toMatch(/^listener +0\.0\.0\.0:\d+, drained, TLS not looked at$/m);
    expect(explained.stdout).toMatch(/^outcome +refused: its listener is drained, and closed until/m);
    await run(['drain', 'undo', 'listener', String(port)]);

    expect(await isServed(port)).toBe(true);
  });

  test('offers its words to the completion of shells', () => {
    expect(drain.choices).toEqual(['listener', 'route', 'upstream', 'node', 'list', 'undo']);
  });

  test('refuses what there is not, and what cannot be meant', async () => {
    const { run } = await openBusyGateway();

    for (const [line, message] of [
      [['drain', 'node', '192.0.2.1'], 'the gateway answered 404: there is no node 192.0.2.1 to drain'],
      [['drain', 'undo', 'route', 'echo'], 'the route echo is not being drained'],
      [['drain', 'port', '1'], 'expected listener, route, upstream, node, list or undo, found port'],
      [['drain', 'undo'], 'list or undo, found nothing'],
      [['drain', 'route'], 'expected the name of the route'],
      [['drain', 'route', 'a', 'b'], 'expected one route, found a and b'],
      [['drain', 'list', 'a'], 'expected nothing after list'],
      [['drain', 'list', '--over', '1'], '--over is for'],
      [['drain', 'route', 'echo', '--over', 'soon'], 'as --over, found soon'],
    ] as const) {
      expect(await run(line)).toMatchObject({
        status: 1,
        stdout: '',
        stderr: expect.stringContaining(message),
      });
    }
    expect(await run(['drain'])).toMatchObject({ status: 2 });
  });
});
