/**
 * Node's private TCP handles: the only file that asks for them, and the list of all that is used. What is written here
 * was found by trying on Node 26; `selfTest` tries it again at every start, and `net.Socket` serves when it fails.
 */

import { Socket } from 'node:net';
import type { HandleWire } from './handle-wire.ts';

/** A socket, connected or listening. Methods answer 0 or a negative errno. */
export interface TcpHandle {
  /** Ours: whose socket this is. */
  wire: HandleWire | undefined;
  /** Called with `this` being the handle; the count is in `state[readResult]`, the bytes where `useUserBuffer` said. */
  onread: (this: TcpHandle) => void;
  onconnection: (this: TcpHandle, status: number, client: TcpHandle | undefined) => void;
  /** The descriptor; -1 when it is closed. */
  readonly fd: number;
  /** Becomes a socket that there is already, and owns it from then on. */
  open(descriptor: number): number;
  bind(address: string, port: number, flags?: number): number;
  bind6(address: string, port: number, flags?: number): number;
  listen(backlog: number): number;
  connect(request: ConnectRequest, address: string, port: number): number;
  connect6(request: ConnectRequest, address: string, port: number): number;
  /** Reads go to this memory from now on. The native side keeps no reference to it. Once per handle. */
  useUserBuffer(memory: Uint8Array): void;
  readStart(): number;
  readStop(): number;
  /**
   * Writes at once what the kernel takes. If `state[lastWriteWasAsync]` is 0 then, the request was not touched; else the
   * native side holds a bare pointer to the rest until the request's `oncomplete`.
   */
  writeBuffer(request: WriteRequest, view: Uint8Array): number;
  shutdown(request: ShutdownRequest): number;
  /** Releases the descriptor before it returns. */
  close(): void;
  /** Like `close`, with RST. Refuses with EINVAL between `shutdown` and its `oncomplete`. */
  reset(): number;
  setNoDelay(enabled: boolean): number;
  setKeepAlive(enabled: boolean, idleSeconds: number): number;
  getpeername(out: NativeAddress): number;
  getsockname(out: NativeAddress): number;
}

export interface NativeAddress {
  address?: string;
  port?: number;
}

export interface ConnectRequest {
  oncomplete: (status: number, handle: TcpHandle) => void;
}

export interface WriteRequest {
  oncomplete: (this: WriteRequest, status: number) => void;
  /** Ours. */
  wire: HandleWire | undefined;
}

export interface ShutdownRequest {
  oncomplete: (this: ShutdownRequest, status: number) => void;
  /** Ours. */
  wire: HandleWire | undefined;
}

export interface NativeTcp {
  readonly TCP: new (kind: number) => TcpHandle;
  readonly TCPConnectWrap: new () => ConnectRequest;
  readonly WriteWrap: new () => WriteRequest;
  readonly ShutdownWrap: new () => ShutdownRequest;
  readonly socketKind: number;
  readonly serverKind: number;
  readonly ipv6OnlyFlag: number;
  readonly reusePortFlag: number;
  /** Where the native side leaves the results of the last call. */
  readonly state: Int32Array;
  /** Indexes into `state`. */
  readonly readResult: number;
  readonly lastWriteWasAsync: number;
}

/** What a read answers when the peer has sent FIN: libuv's UV_EOF. */
export const endOfFile = -4095;

/** @returns undefined where Node does not have it, or not as we know it. */
export function loadNativeTcp(): NativeTcp | undefined {
  try {
    const tcp = bindingOf('tcp_wrap');
    const stream = bindingOf('stream_wrap');
    const constants = part(tcp, 'constants');
    const native = {
      TCP: part(tcp, 'TCP'),
      TCPConnectWrap: part(tcp, 'TCPConnectWrap'),
      WriteWrap: part(stream, 'WriteWrap'),
      ShutdownWrap: part(stream, 'ShutdownWrap'),
      socketKind: part(constants, 'SOCKET'),
      serverKind: part(constants, 'SERVER'),
      ipv6OnlyFlag: part(constants, 'UV_TCP_IPV6ONLY'),
      reusePortFlag: part(constants, 'UV_TCP_REUSEPORT'),
      state: part(stream, 'streamBaseState'),
      readResult: part(stream, 'kReadBytesOrError'),
      lastWriteWasAsync: part(stream, 'kLastWriteWasAsync'),
    };
    return isNativeTcp(native) ? native : undefined;
  } catch {
    // No such binding on this Node: that is the answer.
    return undefined;
  }
}

/** An accepted connection as the socket that `net.Server` would have made of it, paused. */
export function socketOf(client: TcpHandle): Socket {
  const options = { allowHalfOpen: true, readable: true, writable: true };
  // Two options that Node's own servers give to the constructor, and its types leave out or have for something else.
  const more: object = { handle: client, pauseOnCreate: true };
  const socket = new Socket({ ...options, ...more });
  socket.setNoDelay(true);
  return socket;
}

function bindingOf(name: string): unknown {
  const binding: unknown = Reflect.get(process, 'binding');
  if (typeof binding !== 'function') return undefined;
  return Reflect.apply(binding, process, [name]);
}

function part(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined;
}

/** As far as a look can tell; `selfTest` tells the rest by use. */
function isNativeTcp(native: Record<keyof NativeTcp, unknown>): native is NativeTcp {
  const { TCP, TCPConnectWrap, WriteWrap, ShutdownWrap, state, ...numbers } = native;
  const areClasses = [TCP, TCPConnectWrap, WriteWrap, ShutdownWrap].every((one) => typeof one === 'function');
  return areClasses && state instanceof Int32Array && Object.values(numbers).every(Number.isInteger);
}
