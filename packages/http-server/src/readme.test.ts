import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createHttpServer } from './index.ts';

test('the example of the README runs', async () => {
  const server = createHttpServer(
    { name: 'the example', host: '127.0.0.1', port: 0, serverToken: 'APISIX', maxConnections: 100 },
    (app) => {
      app.get('/', async () => ({ hello: 'operator' }));
    },
  );
  const { port } = await server.listen();

  const answer = await fetch(`http://127.0.0.1:${port}/`);
  await server.close();

  expect(answer.status).toBe(200);
});

test('the example of the README is the one that runs', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const own = await readFile(new URL(import.meta.url), 'utf8');
  const example = /```ts\n([^]*?)```/.exec(readme)?.[1] ?? 'no example';

  expect(own.replaceAll(/\s+/g, '')).toContain(example.replaceAll(/\s+/g, ''));
});
