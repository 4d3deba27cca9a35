import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Wire, WireError, WireHandler } from '../pipe/wire.ts';
import { settle } from './peer.ts';
import type { ContractPeer } from './peer.ts';

export interface WirePair {
  readonly wire: Wire;
  readonly peer: ContractPeer;
}

/**
 * What `Wire` promises, in code.
 * @param open a new connection; whoever implements it closes what is left after the test (`onTestFinished`).
 */
export function testWires(name: string, open: () => Promise<WirePair>): void {
  async function listening(): Promise<WirePair & { readonly ear: Ear }> {
    const pair = await open();
    return { ...pair, ear: new Ear(pair.wire) };
  }

  describe(`wire: ${name}`, () => {
    describe('reading', () => {
      test('delivers nothing before resume, then all, and the end last', async () => {
        const { wire, peer, ear } = await listening();
        peer.end(Buffer.from('early'));
        await settle();
        expect(ear.calls).toEqual([]);

        wire.resume();
        await ear.ended;

        expect(ear.text()).toBe('early');
        expect(wire.bytesRead).toBe(5);
      });

      test('a pause during onData takes effect at once', async () => {
        const { wire, peer, ear } = await listening();
        const bytes = randomBytes(1 << 20);
        ear.onDataDo = () => wire.pause();

        wire.resume();
        const sent = peer.send(bytes);
        await ear.data;
        const first = wire.bytesRead;
        await settle();
        expect(wire.bytesRead).toBe(first);
        ear.onDataDo = undefined;
        wire.resume();
        await sent;
        peer.end();
        await ear.ended;

        expect(hashOf(ear.bytes())).toBe(hashOf(bytes));
      });

      test.for([1, 100, 4096, 4097, 65_536])(
        'a view of %i bytes stays untouched while its wire is paused, whatever other wires read',
        async (length) => {
          const kept = await listening();
          const others = [await listening(), await listening(), await listening()];
          let view: Uint8Array = new Uint8Array();
          kept.ear.onDataDo = (seen) => {
            view = seen;
            kept.wire.pause();
          };
          await kept.peer.send(Buffer.alloc(length, 'k'));
          kept.wire.resume();
          await kept.ear.data;

          for (const other of others) {
            other.wire.resume();
            other.peer.end(Buffer.alloc(length, 'o'));
            await other.ear.ended;
          }

          expect(view.length).toBeGreaterThan(0);
          expect(Buffer.alloc(view.length, 'k').equals(view)).toBe(true);
        },
      );

      test('a pause holds back a bare end, too', async () => {
        const { wire, peer, ear } = await listening();
        ear.onDataDo = () => wire.pause();
        wire.resume();
        await peer.send(Buffer.from('x'));
        await ear.data;

        peer.end();
        await settle();
        expect(ear.calls).toEqual(['data']);
        wire.resume();
        await ear.ended;

        expect(ear.calls).toEqual(['data', 'end']);
      });

      test('pause and resume may be repeated', async () => {
        const { wire, peer, ear } = await listening();

        wire.pause();
        wire.resume();
        wire.resume();
        wire.pause();
        wire.pause();
        wire.resume();
        peer.end(Buffer.from('x'));
        await ear.ended;

        expect(ear.text()).toBe('x');
      });
    });

    describe('writing', () => {
      test('answers false when the peer stalls, and onWritten when it has read', async () => {
        const { wire, peer, ear } = await listening();
        const piece = randomBytes(1 << 18);
        const sent = createHash('sha256');
        let pieces = 0;

        let isStalled = false;
        while (!isStalled && pieces < 1000) {
          ear.calls.length = 0;
          const isTaken = wire.write(piece);
          sent.update(piece);
          pieces += 1;
          if (isTaken) continue;
          expect(() => wire.write(piece)).toThrow(TypeError);
          // Over TLS each write waits a moment; the one that the peer stalls waits for the peer.
          await settle();
          isStalled = ear.calls.length === 0;
        }
        expect(isStalled).toBe(true);
        const rest = peer.rest();
        while (ear.calls.length === 0) await settle();
        expect(ear.calls).toEqual(['written']);
        wire.end();

        expect(await rest).toEqual({
          bytes: pieces * piece.length,
          hash: sent.digest('hex'),
          ending: 'end',
        });
        expect(wire.bytesWritten).toBe(pieces * piece.length);
      });

      test('an end waits for the outstanding write', async () => {
        const { wire, peer } = await listening();
        const bytes = randomBytes(24 << 20);

        expect(wire.write(bytes)).toBe(false);
        wire.end();

        expect(await peer.rest()).toEqual({ bytes: bytes.length, hash: hashOf(bytes), ending: 'end' });
      });

      test('nothing may be written after the end', async () => {
        const { wire } = await listening();

        wire.end();
        wire.end();

        expect(() => wire.write(Buffer.from('late'))).toThrow(TypeError);
      });

      test('an empty write is done at once', async () => {
        const { wire, peer } = await listening();

        expect(wire.write(new Uint8Array())).toBe(true);
        wire.end();

        expect((await peer.rest()).bytes).toBe(0);
      });
    });

    describe('closing', () => {
      test('closes by itself, in order, when both ends have sent FIN', async () => {
        const { wire, peer, ear } = await listening();

        wire.resume();
        wire.end();
        expect((await peer.rest()).ending).toBe('end');
        peer.end();

        expect(await ear.closed).toBeUndefined();
        expect(await peer.closed).toBe('end');
        expect(ear.calls).toEqual(['end', 'closed']);
      });

      test('stays open for writing after the peer has ended', async () => {
        const { wire, peer, ear } = await listening();

        wire.resume();
        peer.end();
        await ear.ended;
        await settle();
        wire.write(Buffer.from('answer'));
        wire.end();

        expect((await peer.rest()).bytes).toBe(6);
        expect(await ear.closed).toBeUndefined();
      });

      test("a peer's reset is told as one", async () => {
        const { wire, peer, ear } = await listening();

        wire.resume();
        peer.reset();

        expect(await ear.closed).toEqual({ kind: 'reset', errno: 'ECONNRESET' });
        expect(ear.calls).toEqual(['closed']);
      });

      test('a peer that resets while a write to it is outstanding is told once', async () => {
        const { wire, peer, ear } = await listening();

        wire.resume();
        expect(wire.write(Buffer.alloc(24 << 20))).toBe(false);
        peer.reset();

        expect((await ear.closed)?.kind).toBe('reset');
        await settle();
        expect(ear.calls).toEqual(['closed']);
      });

      test('reset sends RST', async () => {
        const { wire, peer, ear } = await listening();

        wire.reset();
        wire.reset();
        wire.close();
        expect(ear.calls).toEqual([]);

        expect((await peer.rest()).ending).toBe('reset');
        expect(await ear.closed).toBeUndefined();
        await settle();
        expect(ear.calls).toEqual(['closed']);
      });

      test('reset right after end closes, with RST', async () => {
        const { wire, peer, ear } = await listening();

        wire.end();
        wire.reset();

        expect(await ear.closed).toBeUndefined();
        // After FIN alone the first send would still succeed.
        await expect(peer.send(Buffer.from('x'))).rejects.toThrow(/EPIPE|ECONNRESET/);
      });

      test('reset while an end waits for a write sends RST', async () => {
        const { wire, peer, ear } = await listening();

        expect(wire.write(Buffer.alloc(24 << 20))).toBe(false);
        wire.end();
        wire.reset();

        expect(await ear.closed).toBeUndefined();
        expect((await peer.rest()).ending).toBe('reset');
      });

      test('close still delivers what the kernel has', async () => {
        const { wire, peer, ear } = await listening();

        // Over TLS the kernel has it a moment later.
        if (!wire.write(Buffer.from('last words'))) await ear.written;
        ear.calls.length = 0;
        wire.close();
        wire.close();
        wire.reset();
        expect(ear.calls).toEqual([]);

        expect((await peer.take(10)).toString()).toBe('last words');
        expect((await peer.rest()).ending).toBe('end');
        expect(await ear.closed).toBeUndefined();
        await settle();
        expect(ear.calls).toEqual(['closed']);
      });

      test('close during onData is the last of it', async () => {
        const { wire, peer, ear } = await listening();
        ear.onDataDo = () => wire.close();

        wire.resume();
        peer.send(Buffer.alloc(1 << 20)).catch(() => {
          // Closing with bytes unread resets the sender.
        });

        expect(await ear.closed).toBeUndefined();
        await settle();
        expect(ear.calls).toEqual(['data', 'closed']);
      });

      test('a closed wire takes nothing', async () => {
        const { wire, ear } = await listening();

        wire.close();

        expect(wire.write(Buffer.from('x'))).toBe(false);
        wire.resume();
        wire.pause();
        wire.end();
        expect(await ear.closed).toBeUndefined();
        expect(wire.bytesWritten).toBe(0);
      });
    });

    test('knows both ends of the connection, and keeps what was asked for', async () => {
      const { wire, peer, ear } = await listening();

      const seen = { address: wire.remoteAddress, port: wire.remotePort, local: wire.localAddress };
      wire.close();
      await ear.closed;

      expect(seen).toEqual({ address: peer.localAddress, port: peer.localPort, local: '127.0.0.1' });
      expect(wire.remotePort).toBe(peer.localPort);
    });
  });
}

/** Hears a wire, and notes the calls in order; data that follows data is noted once. */
class Ear implements WireHandler {
  readonly calls: ('data' | 'end' | 'written' | 'closed')[] = [];
  readonly data: Promise<void>;
  readonly ended: Promise<void>;
  readonly written: Promise<void>;
  readonly closed: Promise<WireError | undefined>;
  onDataDo: ((view: Uint8Array) => void) | undefined;
  readonly #chunks: Buffer[] = [];
  readonly #hasData: () => void;
  readonly #hasEnded: () => void;
  readonly #hasWritten: () => void;
  readonly #hasClosed: (error: WireError | undefined) => void;

  constructor(wire: Wire) {
    ({ promise: this.data, resolve: this.#hasData } = Promise.withResolvers<void>());
    ({ promise: this.ended, resolve: this.#hasEnded } = Promise.withResolvers<void>());
    ({ promise: this.written, resolve: this.#hasWritten } = Promise.withResolvers<void>());
    ({ promise: this.closed, resolve: this.#hasClosed } = Promise.withResolvers<WireError | undefined>());
    wire.handler = this;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  text(): string {
    return this.bytes().toString();
  }

  onData(view: Uint8Array): void {
    if (this.calls.at(-1) !== 'data') this.calls.push('data');
    this.#chunks.push(Buffer.from(view));
    this.onDataDo?.(view);
    this.#hasData();
  }

  onEnd(): void {
    this.calls.push('end');
    this.#hasEnded();
  }

  onWritten(): void {
    this.calls.push('written');
    this.#hasWritten();
  }

  onClosed(error: WireError | undefined): void {
    this.calls.push('closed');
    this.#hasClosed(error);
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
