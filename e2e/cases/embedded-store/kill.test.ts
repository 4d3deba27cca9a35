import { expect, onTestFinished, test } from 'vitest';
import { apisixCommand, createGatewayInstallation } from '../../testbed/gateway.ts';
import type { GatewayInstallation } from '../../testbed/gateway.ts';
import { startProcess } from '../../testbed/process.ts';
import type { RunningProcess } from '../../testbed/process.ts';

const writes = 10_000;
const writers = 16;
const kills = 4;
/** Each id is overwritten again and again. */
const idsOfWriter = 25;

test(`kill -9 in the middle of ${writes} writes loses none that was answered, and leaves none half-made`, async () => {
  const gateway = await createGatewayInstallation();
  onTestFinished(() => gateway.remove());
  await gateway.configure(
    'proxy_mode: http&stream\nstream_proxy: { tcp: [0] }'.replace('0', `${gateway.streamPort}`),
  );
  /** By id, the numbers of all writes that were sent, and of those that were answered. */
  const sent = new Map<string, number[]>();
  const answered = new Map<string, number>();
  let next = 0;
  let running = await start(gateway);
  onTestFinished(() => running.kill('SIGKILL'));
  let lastRevision = 0;

  for (let round = 1; round <= kills + 1; round += 1) {
    const end = round > kills ? writes : Math.floor((writes / (kills + 1)) * (round - Math.random() / 2));
    let isKilled = false;
    const writeEvery = async (first: number): Promise<void> => {
      while (next < end) {
        const number = next;
        next += 1;
        // Each writer has ids of its own, so the order of the writes of an id is known.
        const id = `r${first}-${number % idsOfWriter}`;
        sent.set(id, [...(sent.get(id) ?? []), number]);
        try {
          const { status } = await gateway.admin('PUT', `/upstreams/${id}`, documentOf(number));
          expect(status).toBeLessThan(202);
          answered.set(id, number);
        } catch (error) {
          if (!isKilled) throw error;
          return; // The gateway went away before it answered.
        }
      }
      if (round <= kills && !isKilled) {
        // The other writers are in the middle of theirs.
        isKilled = true;
        running.kill('SIGKILL');
      }
    };
    await Promise.all(Array.from({ length: writers }, (_, first) => writeEvery(first)));
    if (round <= kills) {
      await running.exited;
      running = await start(gateway);
    }

    const { body } = await gateway.admin('GET', '/upstreams');
    const kept = new Map(listOf(body).map((item) => [item.value.id, item]));
    for (const [id, number] of answered) {
      const item = kept.get(id);
      // What was sent and not answered may be there too, and then all of it.
      const found = Number(item?.value.desc);
      expect([id, found >= number, sent.get(id)?.includes(found)]).toEqual([id, true, true]);
      expect(item?.value).toMatchObject(documentOf(found));
    }
    const revision = Math.max(...listOf(body).map(({ modifiedIndex }) => modifiedIndex));
    expect(revision).toBeGreaterThan(lastRevision);
    lastRevision = revision;
  }
  expect(next).toBe(writes);
});

/** The number stands at both ends of it. */
function documentOf(number: number): { desc: string; nodes: unknown; labels: unknown } {
  return { desc: `${number}`, nodes: { '127.0.0.1:9': 1 }, labels: { number: `${number}` } };
}

/**
 * Starts it on the ports that it had. While nothing listens there, a connection of another program may have one of them
 * for a moment, which is no matter of the store; any other reason not to start fails the test.
 */
async function start({ home }: GatewayInstallation): Promise<RunningProcess> {
  for (;;) {
    const running = await startProcess(apisixCommand, ['start', '--foreground', '--home', home]);
    await running.waitForOutput(/is serving|LISTENER_PORT_IN_USE/);
    if (/is serving/.test(running.output())) return running;
    await running.exited;
  }
}

interface Item {
  readonly modifiedIndex: number;
  readonly value: { readonly id: string; readonly desc: string };
}

function listOf(body: unknown): readonly Item[] {
  // What the Admin API answers to a GET of a collection.
  return (body as { readonly list: readonly Item[] }).list;
}
