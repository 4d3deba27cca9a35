import { getSystemErrorName } from 'node:util';
import type { Wire, WireError, WireHandler } from '@apisix-ts/core';
import { unmapped } from '../unmapped.ts';
import { unsetHandler } from '../unset-handler.ts';
import { wireError } from '../wire-error.ts';
import { endOfFile } from './native-tcp.ts';
import type { NativeAddress, NativeTcp, ShutdownRequest, TcpHandle, WriteRequest } from './native-tcp.ts';
import { ReadMemory } from './read-memory.ts';
import type { Chunk } from './read-memory.ts';

/** What the wires of one thread share. */
export class HandleShare {
  readonly native: NativeTcp;
  readonly memory: ReadMemory = new ReadMemory();
  /** A request object is only used up by a write that does not finish at once. */
  spareWrite: WriteRequest;

  constructor(native: NativeTcp) {
    this.native = native;
    this.spareWrite = new native.WriteWrap();
  }
}

/** A connection on one of Node's own TCP handles. */
export class HandleWire implements Wire {
  handler: WireHandler = unsetHandler;
  bytesRead = 0;
  bytesWritten = 0;
  readonly #handle: TcpHandle;
  readonly #share: HandleShare;
  #isReading = false;
  #isPrimed = false;
  #hasNoDelay = false;
  /** FIN was received. */
  #isPeerDone = false;
  /** `end` was called. */
  #isEnded = false;
  /** FIN is on its way: a reset has to wait. */
  #isShutting = false;
  #isResetDue = false;
  #isClosed = false;
  /** The outstanding write's memory: the native side only has a pointer. */
  #outstanding: Uint8Array | undefined;
  /** A write failed: the peer is gone, but what it sent before may still be read. */
  #writeError: WireError | undefined;
  #error: WireError | undefined;
  /** Holds the last bytes delivered, while paused. */
  #chunk: Chunk | undefined;
  #remote: NativeAddress | undefined;
  #local: NativeAddress | undefined;
  #knownPort: number;

  /** @param localPort if it is known; 0: ask the system. */
  constructor(handle: TcpHandle, share: HandleShare, localPort: number) {
    this.#handle = handle;
    this.#share = share;
    this.#knownPort = localPort;
    handle.wire = this;
  }

  get remoteAddress(): string {
    return unmapped(this.#peerName().address ?? '');
  }

  get remotePort(): number {
    return this.#peerName().port ?? 0;
  }

  get localAddress(): string {
    return unmapped(this.#sockName().address ?? '');
  }

  get localPort(): number {
    if (this.#knownPort === 0) this.#knownPort = this.#sockName().port ?? 0;
    return this.#knownPort;
  }

  resume(): void {
    if (this.#isReading || this.#isPeerDone || this.#isClosed) return;
    const handle = this.#handle;
    if (!this.#isPrimed) {
      this.#isPrimed = true;
      handle.onread = onRead;
      handle.useUserBuffer(this.#share.memory.landing);
    }
    this.#releaseChunk();
    this.#isReading = true;
    const status = handle.readStart();
    if (status !== 0) this.#fail(status);
  }

  pause(): void {
    if (!this.#isReading) return;
    this.#isReading = false;
    this.#handle.readStop();
  }

  write(view: Uint8Array): boolean {
    if (this.#isClosed || this.#writeError !== undefined) return false;
    if (this.#isEnded || this.#outstanding !== undefined) {
      throw new TypeError('a wire takes no write after end, nor while another one is outstanding');
    }
    if (view.length === 0) return true;
    if (!this.#hasNoDelay) this.#avoidDelay(view.length);
    const share = this.#share;
    const request = share.spareWrite;
    const status = this.#handle.writeBuffer(request, view);
    if (status !== 0) {
      this.#breakWriting(status);
      return false;
    }
    this.bytesWritten += view.length;
    if (share.native.state[share.native.lastWriteWasAsync] === 0) return true;
    share.spareWrite = new share.native.WriteWrap();
    request.oncomplete = onWriteDone;
    request.wire = this;
    this.#outstanding = view;
    return false;
  }

  keepAlive(idleSeconds: number): void {
    if (!this.#isClosed) this.#handle.setKeepAlive(true, idleSeconds);
  }

  end(): void {
    if (this.#isEnded || this.#isClosed) return;
    this.#isEnded = true;
    if (this.#outstanding === undefined) this.#sendEnd();
  }

  reset(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.pause();
    if (this.#isShutting) this.#isResetDue = true;
    else this.#resetNow();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isReading = false;
    this.#handle.close();
    process.nextTick(tellClosed, this);
  }

  /** @internal A read ended. */
  readDone(): void {
    const { state, readResult } = this.#share.native;
    const result = state[readResult] ?? 0;
    if (result > 0) this.#deliver(result);
    else if (result === endOfFile) this.#peerEnded();
    else if (result < 0) this.#fail(result);
    // 0: the system had nothing after all.
  }

  /** @internal The outstanding write ended. */
  writeDone(status: number): void {
    this.#outstanding = undefined;
    if (this.#isClosed) return;
    if (status < 0) {
      this.#breakWriting(status);
      return;
    }
    this.handler.onWritten();
    if (this.#isEnded && this.#outstanding === undefined) this.#sendEnd();
  }

  /** @internal FIN is sent, or could not be: then the peer is gone, and reading will tell. */
  shutdownDone(): void {
    this.#isShutting = false;
    if (this.#isResetDue) this.#resetNow();
  }

  /** @internal */
  tellClosed(): void {
    this.handler.onClosed(this.#error);
  }

  #deliver(count: number): void {
    this.bytesRead += count;
    const { memory } = this.#share;
    const chunk = memory.lift(count);
    this.handler.onData(chunk.view(count));
    if (this.#isReading) return;
    memory.keep(chunk);
    this.#chunk = chunk;
  }

  /** A closed wire's chunk is never released: a write of another wire may still need it, so its memory is not used again. */
  #releaseChunk(): void {
    if (this.#chunk === undefined) return;
    this.#share.memory.release(this.#chunk);
    this.#chunk = undefined;
  }

  #peerEnded(): void {
    this.#isReading = false;
    this.#isPeerDone = true;
    if (this.#writeError !== undefined) {
      this.#closeWith(this.#writeError);
      return;
    }
    this.handler.onEnd();
    if (this.#isEnded && this.#outstanding === undefined) this.close();
  }

  /** When both ends are done, closing sends the FIN and saves a system call and a callback. */
  #sendEnd(): void {
    if (this.#isClosed || this.#isShutting) return;
    if (this.#isPeerDone) {
      this.close();
      return;
    }
    const request = new this.#share.native.ShutdownWrap();
    request.oncomplete = onShutdownDone;
    request.wire = this;
    this.#isShutting = this.#handle.shutdown(request) === 0;
  }

  #resetNow(): void {
    if (this.#handle.reset() !== 0) this.#handle.close();
    process.nextTick(tellClosed, this);
  }

  /**
   * The peer is gone, but its last words may wait in the kernel: a wire that is being read goes on to the error or the
   * end, and that closes it. A paused one may never be read again.
   */
  #breakWriting(status: number): void {
    const error = wireError(getSystemErrorName(status));
    if (this.#isReading) this.#writeError = error;
    else this.#closeWith(error);
  }

  #fail(status: number): void {
    this.#closeWith(this.#writeError ?? wireError(getSystemErrorName(status)));
  }

  #closeWith(error: WireError): void {
    if (this.#isClosed) return;
    this.#error = error;
    this.close();
  }

  /**
   * TCP_NODELAY, before it can matter: the first small write is never delayed, and many connections never make a second.
   */
  #avoidDelay(length: number): void {
    if (this.bytesWritten === 0 && length <= 1024) return;
    this.#hasNoDelay = true;
    this.#handle.setNoDelay(true);
  }

  #peerName(): NativeAddress {
    if (this.#remote === undefined && !this.#isClosed) {
      this.#remote = {};
      this.#handle.getpeername(this.#remote);
    }
    return this.#remote ?? noAddress;
  }

  #sockName(): NativeAddress {
    if (this.#local === undefined && !this.#isClosed) {
      this.#local = {};
      this.#handle.getsockname(this.#local);
    }
    return this.#local ?? noAddress;
  }
}

const noAddress: NativeAddress = {};

// The native side calls these with the handle, or the request, as `this`: nothing is made per connection.

function onRead(this: TcpHandle): void {
  this.wire?.readDone();
}

function onWriteDone(this: WriteRequest, status: number): void {
  this.wire?.writeDone(status);
}

function onShutdownDone(this: ShutdownRequest): void {
  this.wire?.shutdownDone();
}

function tellClosed(wire: HandleWire): void {
  wire.tellClosed();
}
