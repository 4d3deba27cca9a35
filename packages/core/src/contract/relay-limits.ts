import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { settle, settled } from './peer.ts';
import { sendInVain, startRelay, wholeOf } from './relay-harness.ts';
import type { RelayHarness, RunningRelay } from './relay-harness.ts';

const mebibyte = 1 << 20;

/** More than this no wire reads at once. */
const mostRead = 65_536;

/** The limits of a session, over whatever wires the harness opens. */
export function testRelayLimits(harness: RelayHarness): void {
  describe.for(['upload', 'download'] as const)('a rate of %s', (way) => {
    const rate = 100_000;

    test("lets one second's worth pass at once, then as much a second, and no less", async () => {
      const run = await startRelay(harness, { rates: { [way]: rate } });
      const [from, to, wire] =
        way === 'upload' ? [run.client, run.server, run.downstream] : [run.server, run.client, run.upstream];
      const bytes = randomBytes(8 * rate);
      from.end(bytes);

      const received: Uint8Array[] = [];
      for (let second = 0; second < 7; second += 1) {
        // The wheel finds out up to two ticks late, and makes good for it.
        received.push(await to.take(second === 0 ? rate : second === 1 ? 0.7 * rate : rate));
        await settle();
        expect(wire.bytesRead).toBeLessThanOrEqual((second + 1) * rate + mostRead);
        run.clock.advance(1000);
      }
      run.clock.advance(1000);

      const rest = await to.rest();
      const whole = createHash('sha256').update(Buffer.concat(received)).digest('hex');
      expect(whole).toBe(hashOf(bytes.subarray(0, 6.7 * rate)));
      expect(rest).toEqual(wholeOf(bytes.subarray(6.7 * rate)));
    });

    test('leaves the other way alone', async () => {
      const run = await startRelay(harness, { rates: { [way]: 1024 } });
      const [from, to] = way === 'upload' ? [run.server, run.client] : [run.client, run.server];
      const bytes = randomBytes(3 * mebibyte);

      from.end(bytes);

      expect(await to.rest()).toEqual(wholeOf(bytes));
    });

    test('does not take its own pause for silence', async () => {
      const run = await startRelay(harness, { rates: { [way]: 1024 }, idleTimeoutMs: 2000 });
      const [from, to] = way === 'upload' ? [run.client, run.server] : [run.server, run.client];
      const bytes = randomBytes(10_000);

      from.end(bytes);
      for (let second = 0; second < 8; second += 1) {
        run.clock.advance(1000);
        await settle();
      }

      expect(run.doneCount()).toBe(0);
      run.clock.advance(2000);
      expect(await to.rest()).toEqual(wholeOf(bytes));
    });

    test('goes together with readers that stall', async () => {
      const run = await startRelay(harness, { rates: { upload: 4 * mebibyte, download: 4 * mebibyte } });
      const [from, to] = way === 'upload' ? [run.client, run.server] : [run.server, run.client];
      const bytes = randomBytes(24 * mebibyte);
      from.end(bytes);
      await passTime(run, 4);

      const rest = to.rest();
      await passTime(run, 8);

      expect(await rest).toEqual(wholeOf(bytes));
    });

    test('leaves nothing behind when the session ends meanwhile', async () => {
      const run = await startRelay(harness, { rates: { [way]: 1024 }, idleTimeoutMs: 0 });
      const [from, to] = way === 'upload' ? [run.client, run.server] : [run.server, run.client];
      sendInVain(from, Buffer.alloc(mebibyte));
      await to.take(1024);

      run.session.close('SESSION_CLOSED_BY_SHUTDOWN');

      expect((await run.done).code).toBe('SESSION_CLOSED_BY_SHUTDOWN');
      expect(run.wheel.size).toBe(0);
    });
  });

  describe('a maximum age', () => {
    test('ends a busy session at its time, never earlier, with FIN both ways', async () => {
      const run = await startRelay(harness, { maxAgeMs: 60_000, idleTimeoutMs: 20_000 });
      for (let passedMs = 0; passedMs < 60_000; passedMs += 10_000) {
        await run.client.send(Buffer.from('x'));
        await run.server.take(1);
        run.clock.advance(10_000);
      }
      expect(run.doneCount()).toBe(0);

      run.clock.advance(300);
      const [atClient, atServer] = await Promise.all([run.client.rest(), run.server.rest()]);
      run.client.end();
      run.server.end();

      expect([atClient.ending, atServer.ending]).toEqual(['end', 'end']);
      expect((await run.done).code).toBe('SESSION_MAX_AGE');
      expect(run.wheel.size).toBe(0);
    });

    test('delivers what a slow reader left waiting', async () => {
      const run = await startRelay(harness, { maxAgeMs: 60_000, idleTimeoutMs: 0 });
      const bytes = randomBytes(24 * mebibyte);
      const sending = run.server.send(bytes);
      const read = await settled(() => run.upstream.bytesRead);

      run.clock.advance(60_300);
      const rest = await run.client.rest();

      expect(rest).toEqual(wholeOf(bytes.subarray(0, read)));
      run.client.end();
      // The server may send the rest in vain, and then ends, too.
      await sending;
      run.server.end();
      expect(await run.done).toMatchObject({ code: 'SESSION_MAX_AGE', bytesToDownstream: read });
    });

    test('closes peers that do not end by themselves', async () => {
      const run = await startRelay(harness, { maxAgeMs: 60_000, idleTimeoutMs: 0 });
      const ended = Promise.all([run.client.rest(), run.server.rest()]);

      run.clock.advance(60_300);
      expect(run.doneCount()).toBe(0);
      await ended;
      run.clock.advance(5300);

      expect((await run.done).code).toBe('SESSION_MAX_AGE');
      expect(run.wheel.size).toBe(0);
    });

    test('cuts off who does not take what is left, and never so that it looks complete', async () => {
      const run = await startRelay(harness, { maxAgeMs: 60_000, idleTimeoutMs: 0 });
      const bytes = randomBytes(24 * mebibyte);
      void run.server.send(bytes).catch(() => {
        // It is cut off, which is the case.
      });
      await settled(() => run.upstream.bytesRead);

      run.clock.advance(60_300);
      run.clock.advance(5300);

      expect((await run.done).code).toBe('SESSION_MAX_AGE');
      expect((await run.client.rest()).ending).toBe('reset');
    });

    test('does not disturb a session that ends before', async () => {
      const run = await startRelay(harness, { maxAgeMs: 60_000, idleTimeoutMs: 0 });

      run.client.end(Buffer.from('question'));
      run.server.end(Buffer.from('answer'));

      expect(await run.server.rest()).toEqual(wholeOf(Buffer.from('question')));
      expect(await run.client.rest()).toEqual(wholeOf(Buffer.from('answer')));
      expect((await run.done).code).toBeUndefined();
      expect(run.wheel.size).toBe(0);
    });
  });
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Tick by tick, with room for what is due. */
async function passTime(run: RunningRelay, seconds: number): Promise<void> {
  for (let tick = 0; tick < seconds * 10; tick += 1) {
    run.clock.advance(100);
    await settle();
  }
}
