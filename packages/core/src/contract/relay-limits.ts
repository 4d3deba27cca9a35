import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { settled } from './peer.ts';
import { startRelay, wholeOf } from './relay-harness.ts';
import type { RelayHarness } from './relay-harness.ts';

const mebibyte = 1 << 20;

/** The limits of a session, over whatever wires the harness opens. */
export function testRelayLimits(harness: RelayHarness): void {
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
