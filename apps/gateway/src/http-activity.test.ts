import { Agent, request } from 'node:http';
import { expect, onTestFinished, test, vi } from 'vitest';
import { eventually, freePort } from '@apisix-ts/testkit';
import { HttpActivity } from './http-activity.ts';
import { openHttpListener } from './http-listener.ts';

const seen = ({ accepted, active, requests, answering }: HttpActivity): object => ({
  accepted,
  active,
  requests,
  answering,
});

test('connections and requests of HTTP listeners are counted, also after they were closed', async () => {
  const activity = new HttpActivity();
  const port = await freePort();
  const listener = await openHttpListener('127.0.0.1', port, 'APISIX', activity);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const ask = (): Promise<void> =>
    new Promise((resolve, reject) => {
      request({ agent, port, host: '127.0.0.1' }, (answer) => answer.resume().once('end', resolve))
        .once('error', reject)
        .end();
    });

  await ask();
  await ask();
  await vi.waitFor(() => {
    expect(seen(activity)).toEqual({ accepted: 1, active: 1, requests: 2, answering: 0 });
  }, eventually);

  await listener.close();
  await vi.waitFor(() => {
    expect(seen(activity)).toEqual({ accepted: 1, active: 0, requests: 2, answering: 0 });
  }, eventually);
});
