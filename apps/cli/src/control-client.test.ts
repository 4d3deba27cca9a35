import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { freePort } from '@apisix-ts/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createControlClient, openControlClient } from './control-client.ts';
import { apisix } from './testing/apisix.ts';
import { createInstallation, streamConfig } from './testing/installation.ts';
import { testContext } from './testing/test-context.ts';

interface Asked {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly origin: string | undefined;
  readonly body: string;
}

/** A server that gives every request one answer. */
async function openServer(status: number, answer: string): Promise<{ origin: string; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      asked.push({ method: request.method, url: request.url, origin: request.headers.origin, body });
      response.writeHead(status).end(answer);
    });
  });
  const port = await freePort();
  await once(server.listen(port, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  return { origin: `http://127.0.0.1:${port}`, asked };
}

describe('a request', () => {
  test('has a query of what is known, and an answer in JSON', async () => {
    const { origin, asked } = await openServer(200, '{"total":1}');
    const client = createControlClient(origin);

    const answer = await client.ask({
      method: 'DELETE',
      path: '/v1/connections',
      query: { node: '10.0.0.5:3306', route: undefined },
    });

    expect(answer).toEqual({ total: 1 });
    expect(asked).toEqual([
      { method: 'DELETE', url: '/v1/connections?node=10.0.0.5%3A3306', origin: undefined, body: '' },
    ]);
  });

  test('sends a body as JSON', async () => {
    const { origin, asked } = await openServer(200, '{}');

    await createControlClient(origin).ask({ method: 'POST', path: '/v1/drain', body: { node: 'a' } });

    expect(asked).toMatchObject([{ method: 'POST', body: '{"node":"a"}' }]);
  });

  test('that is refused fails with the words of the answer', async () => {
    const { origin } = await openServer(404, '{"error_msg":"not found"}');

    await expect(createControlClient(origin).ask({ path: '/v1/x' })).rejects.toMatchObject({
      code: 'CONTROL_REQUEST_REFUSED',
      message: 'the gateway answered 404: not found',
    });
  });

  test('fails where nobody listens, and where no JSON comes back', async () => {
    const port = await freePort();
    const { origin } = await openServer(200, 'hello');

    for (const base of [`http://127.0.0.1:${port}`, origin]) {
      await expect(createControlClient(base).ask({ path: '/' })).rejects.toMatchObject({
        code: 'CONTROL_API_UNUSABLE',
        message: expect.stringContaining(base),
      });
    }
  });
});

test('says that the Control API is off', async () => {
  const { home } = await createInstallation(streamConfig({ tcp: [await freePort()] }));
  await apisix(['start', '-p', home]);

  await expect(openControlClient(testContext({}), { home })).rejects.toMatchObject({
    code: 'CONTROL_API_UNUSABLE',
    message: expect.stringContaining('apisix.enable_control'),
  });
});
