import { GatewayError } from '@apisix-ts/errors';
import { expect, test } from 'vitest';
import type { Endpoint } from './endpoint.ts';
import { Endpoints } from './endpoints.ts';
import { etcdOptions } from './etcd-options.ts';

const hosts = ['http://a:2379', 'http://b:2379', 'http://c:2379'];

test('the next host is asked when one fails, and stays the first one to be asked', async () => {
  const { ask, down } = setUp();

  down.add('a');
  expect(await ask()).toBe('a b');
  down.clear();
  expect(await ask()).toBe('b');
});

test('a host where something broke is passed over for a while, unless the others are no better', async () => {
  const { ask, breakAt, down, wait } = setUp();
  await breakAt('b');

  down.add('a');
  expect(await ask()).toBe('a c');
  down.add('c');
  expect(await ask()).toBe('c b');
  down.clear();
  wait(10_000);
  down.add('b');
  expect(await ask()).toBe('b c');
});

test('a gateway begins at a host of its own', async () => {
  const { ask } = setUp(0.5);

  expect(await ask()).toBe('b');
});

/** `ask` tells which hosts were asked, in order; `breakAt` is what a watch reports whose stream was cut. */
function setUp(random = 0): {
  readonly ask: () => Promise<string>;
  readonly breakAt: (name: string) => Promise<void>;
  readonly down: Set<string>;
  readonly wait: (ms: number) => void;
} {
  let now = 0;
  const down = new Set<string>();
  const endpoints = new Endpoints(etcdOptions({ host: hosts, health_check_timeout: 10 }), {
    random: () => random,
    nowMs: () => now,
  });

  async function askUntil(answers: (name: string) => boolean): Promise<readonly Endpoint[]> {
    const asked: Endpoint[] = [];
    const reading = endpoints.read(async (endpoint) => {
      asked.push(endpoint);
      if (!answers(nameOf(endpoint))) throw new GatewayError('STORE_UNREACHABLE', 'it is down');
    });
    await reading.catch((error: unknown) => {
      expect(error).toMatchObject({ code: 'STORE_UNREACHABLE' });
    });
    return asked;
  }

  return {
    down,
    wait: (ms) => (now += ms),
    ask: async () => (await askUntil((name) => !down.has(name))).map(nameOf).join(' '),
    async breakAt(name) {
      // Once around, so that the first one is preferred again, and nothing is marked any more.
      const all = await askUntil(() => false);
      now += 10_000;
      for (const endpoint of all) if (nameOf(endpoint) === name) endpoints.failed(endpoint);
    },
  };
}

function nameOf({ url }: Endpoint): string {
  return new URL(url).hostname;
}
