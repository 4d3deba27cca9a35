import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { connectPeer, openEcho } from '@apisix-ts/testkit';
import { expect, onTestFinished, test } from 'vitest';

/** What a session does that finds no descriptor for its node. `testing/starved-gateway.ts` is the other half. */
test(
  'without a descriptor a session ends at once, no node is blamed, and the next one is served',
  { timeout: 60_000 },
  async () => {
    const [first, second] = await Promise.all([openEcho(), openEcho()]);
    onTestFinished(async () => {
      await Promise.all([first.close(), second.close()]);
    });
    const program = fileURLToPath(new URL('testing/starved-gateway.ts', import.meta.url));
    const node = [
      process.execPath,
      '--conditions=@apisix-ts/source',
      program,
      `${first.port}`,
      `${second.port}`,
    ];
    const child = spawn('sh', ['-c', 'ulimit -n 200 && exec "$@"', 'sh', ...node], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const nextLine = async (): Promise<string> => String((await lines.next()).value);
    const port = Number(await nextLine());

    child.stdin.write('starve\n');
    await nextLine();
    for (let count = 0; count < 3; count += 1) {
      const client = await connectPeer(port);
      expect(await client.rest()).toMatchObject({ bytes: 0, ending: 'end' });
      client.destroy();
    }
    child.stdin.write('feed\n');
    await nextLine();
    const client = await connectPeer(port);
    await client.send('hello');
    expect((await client.take(5)).toString()).toBe('hello');
    client.end();
    await client.rest();
    child.stdin.end();
    const outcome: unknown = JSON.parse(await nextLine());
    await once(child, 'exit');

    const exhausted = expect.stringMatching(/^GATEWAY_EXHAUSTED 127\.0\.0\.1:\d+$/);
    expect(outcome).toEqual({
      // One line a second for each node.
      logged: expect.arrayContaining(['GATEWAY_EXHAUSTED']),
      access: [exhausted, exhausted, exhausted, expect.stringMatching(/^OK 127\.0\.0\.1:\d+$/)],
      statuses: ['healthy', 'healthy'],
    });
  },
);
