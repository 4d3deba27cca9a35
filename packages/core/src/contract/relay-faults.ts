import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { settle, settled } from './peer.ts';
import { sendInVain, startRelay, wholeOf } from './relay-harness.ts';
import type { RelayHarness, RunningRelay } from './relay-harness.ts';

const mebibyte = 1 << 20;
const bulk = Buffer.alloc(8 * mebibyte);
const sides = [
  { side: 'client', code: 'DOWNSTREAM_RESET' },
  { side: 'server', code: 'UPSTREAM_RESET' },
] as const;

const cutRecords =
  'the toxic cuts a TLS record, or the handshake: what it lets through is no count of plain bytes';

/** The part of `testRelay` that is about time-outs, closing from outside, bad networks and leaks. */
export function testRelayFaults(harness: RelayHarness): void {
  describe('time-outs and closing from outside', () => {
    test('ends a session that was idle for its time, with FIN both ways', async () => {
      const run = await startRelay(harness, { idleTimeoutMs: 60_000 });

      run.clock.advance(59_900);
      await settle();
      expect(run.doneCount()).toBe(0);
      run.clock.advance(500);

      expect(await run.done).toMatchObject({ code: 'SESSION_IDLE_TIMEOUT', errno: undefined });
      expect((await run.client.rest()).ending).toBe('end');
      expect((await run.server.rest()).ending).toBe('end');
      expect(run.wheel.size).toBe(0);
    });

    test.for(['client', 'server'] as const)('a byte from the %s starts the time anew', async (side) => {
      const run = await startRelay(harness, { idleTimeoutMs: 60_000 });
      const [from, to] = side === 'client' ? [run.client, run.server] : [run.server, run.client];

      for (let minute = 0; minute < 5; minute += 1) {
        run.clock.advance(50_000);
        await from.send(Buffer.from('x'));
        await to.take(1);
      }
      expect(run.doneCount()).toBe(0);
      expect(run.session.idleMs).toBeLessThan(200);
      run.clock.advance(60_500);

      expect((await run.done).code).toBe('SESSION_IDLE_TIMEOUT');
    });

    test('0 is no time-out', async () => {
      const run = await startRelay(harness, { idleTimeoutMs: 0 });

      run.clock.advance(10_000_000);
      await run.client.send(Buffer.from('x'));

      expect((await run.server.take(1)).toString()).toBe('x');
      expect(run.wheel.size).toBe(0);
    });

    test('bytes that a time-out cuts off never look like a complete stream', async () => {
      const run = await startRelay(harness);
      sendInVain(run.server, Buffer.alloc(64 * mebibyte));
      await settled(() => run.upstream.bytesRead);

      run.clock.advance(61_000);

      expect((await run.done).code).toBe('SESSION_IDLE_TIMEOUT');
      expect((await run.client.rest()).ending).toBe('reset');
    });

    test('close from outside ends both sides and reports the first reason, once', async () => {
      const run = await startRelay(harness);
      await run.client.send(Buffer.from('x'));
      await run.server.take(1);

      run.session.close('SESSION_CLOSED_BY_SHUTDOWN');
      run.session.close('SESSION_IDLE_TIMEOUT');
      expect(run.doneCount()).toBe(0);

      expect(await run.done).toEqual({
        code: 'SESSION_CLOSED_BY_SHUTDOWN',
        errno: undefined,
        bytesToUpstream: 1,
        bytesToDownstream: 0,
      });
      expect((await run.client.rest()).ending).toBe('end');
      expect((await run.server.rest()).ending).toBe('end');
      run.session.close('SESSION_CLOSED_BY_SHUTDOWN');
      await settle();
      expect(run.doneCount()).toBe(1);
      expect(run.wheel.size).toBe(0);
    });
  });

  describe('over a bad network', () => {
    for (const { side, code } of sides) {
      const isTls = harness.tlsSides?.includes(side) ?? false;

      test.for([1, 7])(`is exact with pieces of %i bytes from the ${side}`, async (bytes) => {
        const run = await startRelay(harness, {}, { side, way: 'toRelay', toxic: { kind: 'slice', bytes } });

        await expectExact(run, randomBytes(2003), randomBytes(2003));
      });

      test(`is exact with pieces of 3 bytes to the ${side}`, async () => {
        const run = await startRelay(
          harness,
          {},
          { side, way: 'fromRelay', toxic: { kind: 'slice', bytes: 3 } },
        );

        await expectExact(run, randomBytes(2003), randomBytes(2003));
      });

      test(`a reset in mid-stream from the ${side} is passed on`, async () => {
        const toxic = { kind: 'reset', afterBytes: 50_000 } as const;
        const run = await startRelay(harness, {}, { side, way: 'toRelay', toxic });
        const [from, to] = side === 'client' ? [run.client, run.server] : [run.server, run.client];

        sendInVain(from, randomBytes(100_000));
        const rest = await to.rest();

        expect(rest.ending).toBe('reset');
        expect(rest.bytes).toBeLessThanOrEqual(50_000);
        expect((await run.done).code).toBe(code);
      });

      test(`an early end from the ${side} is passed on after its bytes`, async ({ skip }) => {
        skip(isTls, cutRecords);
        const toxic = { kind: 'halfClose', afterBytes: 50_000 } as const;
        const run = await startRelay(harness, {}, { side, way: 'toRelay', toxic });
        const [from, to] = side === 'client' ? [run.client, run.server] : [run.server, run.client];
        const bytes = randomBytes(100_000);

        from.end(bytes);

        expect(await to.rest()).toEqual(wholeOf(bytes.subarray(0, 50_000)));
        to.end(Buffer.from('heard you'));
        expect(await from.rest()).toEqual(wholeOf(Buffer.from('heard you')));
        expect((await run.done).code).toBeUndefined();
      });

      test(`silence of the ${side} in mid-stream ends in the idle time-out`, async ({ skip }) => {
        skip(isTls, cutRecords);
        const toxic = { kind: 'stall', afterBytes: 1000 } as const;
        const run = await startRelay(harness, {}, { side, way: 'toRelay', toxic });
        const [from, to] = side === 'client' ? [run.client, run.server] : [run.server, run.client];

        sendInVain(from, randomBytes(2000));
        await to.take(1000);
        await settle();
        expect(run.doneCount()).toBe(0);
        run.clock.advance(61_000);

        expect((await run.done).code).toBe('SESSION_IDLE_TIMEOUT');
      });

      test(`a ${side} that stops reading stops the other side`, async ({ skip }) => {
        skip(isTls, cutRecords);
        const toxic = { kind: 'stopReading', afterBytes: 1000 } as const;
        const run = await startRelay(harness, {}, { side, way: 'fromRelay', toxic });
        const [from, source] = side === 'client' ? [run.server, run.upstream] : [run.client, run.downstream];
        const total = 128 * mebibyte;

        sendInVain(from, Buffer.alloc(total));
        const read = await settled(() => source.bytesRead);

        expect(read).toBeGreaterThanOrEqual(1000);
        expect(read).toBeLessThan(total / 4);
        run.session.close('SESSION_CLOSED_BY_SHUTDOWN');
        expect((await run.done).code).toBe('SESSION_CLOSED_BY_SHUTDOWN');
      });
    }
  });

  test('600 sessions broken off in every way leave no descriptor behind', async () => {
    await breakOff(await startRelay(harness), 0);
    await settle();
    const before = harness.countDescriptors();

    for (let batch = 0; batch < 12; batch += 1) {
      const runs: RunningRelay[] = [];
      for (let index = 0; index < 50; index += 1) runs.push(await startRelay(harness));
      await Promise.all(runs.map((run, index) => breakOff(run, index)));
    }
    await settle();

    expect(harness.countDescriptors()).toBe(before);
  });
}

async function expectExact(run: RunningRelay, up: Uint8Array, down: Uint8Array): Promise<void> {
  run.client.end(up);
  run.server.end(down);
  const [atServer, atClient] = await Promise.all([run.server.rest(), run.client.rest()]);
  expect(atServer).toEqual(wholeOf(up));
  expect(atClient).toEqual(wholeOf(down));
  expect((await run.done).code).toBeUndefined();
}

/** Ends the session in one of eight ways, and waits until all four sockets are gone. */
async function breakOff(run: RunningRelay, way: number): Promise<void> {
  if ((way & 4) !== 0) {
    sendInVain(run.client, bulk);
    sendInVain(run.server, bulk);
    await settle();
  }
  if ((way & 3) === 0) run.client.reset();
  else if ((way & 3) === 1) run.server.reset();
  else if ((way & 3) === 2) run.session.close('SESSION_CLOSED_BY_SHUTDOWN');
  else {
    run.client.end();
    run.server.reset();
  }
  await run.done;
  run.client.reset();
  run.server.reset();
  await Promise.all([run.client.closed, run.server.closed]);
}
