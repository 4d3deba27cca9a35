import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { settle, settled } from './peer.ts';
import type { ContractPeer } from './peer.ts';
import { joinEnds, sendInVain, startRelay, wholeOf } from './relay-harness.ts';
import type { RelayHarness } from './relay-harness.ts';
import { testRelayFaults } from './relay-faults.ts';
import { testRelayLimits } from './relay-limits.ts';

const mebibyte = 1 << 20;
/** Around every size that something changes at. */
const oddSizes = [1, 2, 63, 64, 1023, 1025, 4095, 4096, 4097, 8193, 65_535, 65_536, 65_537, 200_003];

/** What `relay` promises, over whatever wires the harness opens. */
export function testRelay(name: string, harness: RelayHarness): void {
  describe(`relay: ${name}`, () => {
    describe('carrying bytes', () => {
      test('is exact both ways at once, whatever the sizes of the pieces', async () => {
        const run = await startRelay(harness);
        const up = randomBytes(3 * mebibyte + 17);
        const down = randomBytes(3 * mebibyte + 5);

        const [atServer, atClient] = await Promise.all([
          run.server.rest(),
          run.client.rest(),
          sendInPieces(run.client, up),
          sendInPieces(run.server, down),
        ]);
        const result = await run.done;

        expect(atServer).toEqual(wholeOf(up));
        expect(atClient).toEqual(wholeOf(down));
        expect(result).toEqual({
          code: undefined,
          errno: undefined,
          bytesToUpstream: up.length,
          bytesToDownstream: down.length,
        });
      });

      test('keeps many small turns in order', async () => {
        const run = await startRelay(harness);

        for (let turn = 0; turn < 300; turn += 1) {
          const message = randomBytes(1 + (turn % 90));
          await run.client.send(message);
          expect(await run.server.take(message.length)).toEqual(message);
          await run.server.send(message);
          expect(await run.client.take(message.length)).toEqual(message);
        }
        run.client.end();
        run.server.end();

        expect((await run.done).code).toBeUndefined();
      });

      test('lets the server speak first', async () => {
        const run = await startRelay(harness);

        await run.server.send(Buffer.from('220 ready'));

        expect((await run.client.take(9)).toString()).toBe('220 ready');
      });

      test('brings bytes and the end that came before it started', async () => {
        const ends = await harness.open();
        ends.client.end(Buffer.from('question'));
        ends.server.end(Buffer.from('answer'));
        await settle();

        const run = joinEnds(harness, ends);

        expect(await run.server.rest()).toEqual(wholeOf(Buffer.from('question')));
        expect(await run.client.rest()).toEqual(wholeOf(Buffer.from('answer')));
        expect((await run.done).code).toBeUndefined();
      });

      test.for([0, 5, 24 * mebibyte])(
        'a head of %i bytes goes to the upstream once, and first',
        async (length) => {
          const head = randomBytes(length);
          const run = await startRelay(harness, { head });
          const tail = randomBytes(1000);

          const received = run.server.rest();
          await run.client.send(tail);
          run.client.end();
          run.server.end();

          expect(await received).toEqual(wholeOf(Buffer.concat([head, tail])));
          expect((await run.done).bytesToUpstream).toBe(length + 1000);
        },
      );
    });

    describe('ending', () => {
      test('the client may end first and still be answered', async () => {
        const run = await startRelay(harness);

        run.client.end(Buffer.from('question'));
        expect(await run.server.rest()).toEqual(wholeOf(Buffer.from('question')));
        await settle();
        run.server.end(Buffer.from('answer'));

        expect(await run.client.rest()).toEqual(wholeOf(Buffer.from('answer')));
        expect((await run.done).code).toBeUndefined();
      });

      test('the server may end first and still be spoken to', async () => {
        const run = await startRelay(harness);

        run.server.end(Buffer.from('bye'));
        expect(await run.client.rest()).toEqual(wholeOf(Buffer.from('bye')));
        await settle();
        run.client.end(Buffer.from('thanks'));

        expect(await run.server.rest()).toEqual(wholeOf(Buffer.from('thanks')));
        expect((await run.done).code).toBeUndefined();
      });

      test('both may end at once', async () => {
        const run = await startRelay(harness);

        run.client.end();
        run.server.end();

        expect((await run.client.rest()).ending).toBe('end');
        expect((await run.server.rest()).ending).toBe('end');
        expect((await run.done).code).toBeUndefined();
        await settle();
        expect(run.doneCount()).toBe(1);
      });

      test('an end comes after all the bytes that a slow reader left waiting', async () => {
        const run = await startRelay(harness);
        const bytes = randomBytes(24 * mebibyte);

        run.server.end(bytes);
        await settled(() => run.upstream.bytesRead);

        expect(await run.client.rest()).toEqual(wholeOf(bytes));
      });

      test('without half-close the first end ends the session, after its bytes', async () => {
        const run = await startRelay(harness, { halfClose: false });
        const bytes = randomBytes(24 * mebibyte);

        run.server.end(bytes);
        await settled(() => run.upstream.bytesRead);

        expect(await run.client.rest()).toEqual(wholeOf(bytes));
        expect(await run.done).toMatchObject({ code: undefined, bytesToDownstream: bytes.length });
        expect((await run.server.rest()).ending).toBe('end');
      });

      test("the client's reset reaches the server as a reset", async () => {
        const run = await startRelay(harness);
        await run.client.send(Buffer.from('x'));
        await run.server.take(1);

        run.client.reset();

        expect(await run.server.closed).toBe('reset');
        expect(await run.done).toMatchObject({ code: 'DOWNSTREAM_RESET', errno: 'ECONNRESET' });
      });

      test("the server's reset reaches the client as a reset", async () => {
        const run = await startRelay(harness);
        await run.server.send(Buffer.from('x'));
        await run.client.take(1);

        run.server.reset();

        expect(await run.client.closed).toBe('reset');
        expect(await run.done).toMatchObject({ code: 'UPSTREAM_RESET', errno: 'ECONNRESET' });
      });

      test('a reset after an end is still passed on', async () => {
        const run = await startRelay(harness);
        run.client.end();
        expect((await run.server.rest()).ending).toBe('end');

        run.server.reset();

        expect(await run.client.closed).toBe('reset');
        expect((await run.done).code).toBe('UPSTREAM_RESET');
      });

      test('resets from both sides at once end it once', async () => {
        const run = await startRelay(harness);

        run.client.reset();
        run.server.reset();

        expect((await run.done).code).toMatch(/^(?:DOWN|UP)STREAM_RESET$/);
        await settle();
        expect(run.doneCount()).toBe(1);
      });
    });

    describe('backpressure', () => {
      test('a client that does not read stops the server, and memory stays small', async () => {
        const run = await startRelay(harness);
        const piece = randomBytes(mebibyte);
        const pieces = 200;
        const sent = createHash('sha256');
        const before = process.memoryUsage().arrayBuffers;

        const sending = (async () => {
          for (let count = 0; count < pieces; count += 1) {
            sent.update(piece);
            await run.server.send(piece);
          }
          run.server.end();
        })();
        const read = await settled(() => run.upstream.bytesRead);
        // What was read and is not with the kernel of the other side yet is one chunk; the rest fills kernel buffers.
        expect(read - run.downstream.bytesWritten).toBe(0);
        expect(read).toBeLessThan(pieces * mebibyte * 0.25);
        expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * mebibyte);
        const [rest] = await Promise.all([run.client.rest(), sending]);

        expect(rest).toEqual({ bytes: pieces * mebibyte, hash: sent.digest('hex'), ending: 'end' });
      });

      test('one stalled direction leaves the other one running', async () => {
        const run = await startRelay(harness);
        sendInVain(run.server, Buffer.alloc(64 * mebibyte));
        await settled(() => run.upstream.bytesRead);

        await run.client.send(Buffer.from('still here'));

        expect((await run.server.take(10)).toString()).toBe('still here');
        run.session.close('SESSION_CLOSED_BY_SHUTDOWN');
        await run.done;
      });
    });

    testRelayLimits(harness);
    testRelayFaults(harness);
  });
}

async function sendInPieces(peer: ContractPeer, bytes: Uint8Array): Promise<void> {
  let from = 0;
  for (let turn = 0; from < bytes.length; turn += 1) {
    const size = oddSizes[turn % oddSizes.length] ?? 1;
    await peer.send(bytes.subarray(from, from + size));
    from += size;
  }
  peer.end();
}
