import { TimerWheel } from '@apisix-ts/core';
import type { GatewayError } from '@apisix-ts/errors';
import { FakeClock } from '@apisix-ts/testkit';
import { onTestFinished } from 'vitest';
import { createSocketDriver } from '../socket/socket-driver.ts';
import { SocketWire } from '../socket/socket-wire.ts';
import { CertificateStore } from '../tls/certificate-store.ts';
import type { CertificateSpec } from '../tls/certificate-store.ts';
import { TlsAcceptor } from '../tls/tls-acceptor.ts';
import type { TlsAccept, TlsAcceptHandler, TlsAcceptOptions } from '../tls/tls-acceptor.ts';
import type { TlsWire } from '../tls/tls-wire.ts';

export interface TlsOutcome {
  readonly wire?: TlsWire;
  readonly error?: GatewayError;
}

export interface TlsGateOptions extends Partial<TlsAcceptOptions> {
  /** Chooses the application protocol. */
  readonly onClientHello?: NonNullable<TlsAcceptHandler['onClientHello']>;
  /** Called with each connection's attempt. */
  readonly onAccept?: (attempt: TlsAccept) => void;
  /** Reads the first bytes from the wire, and gives them to the acceptor as its head. Default false. */
  readonly isHeadRead?: boolean;
  /** Called with each wire the moment it is there. */
  readonly onWire?: (wire: TlsWire) => void;
}

/** A port whose connections are given to a `TlsAcceptor`. */
export interface TlsGate {
  readonly port: number;
  readonly store: CertificateStore;
  readonly acceptor: TlsAcceptor;
  readonly wheel: TimerWheel;
  readonly clock: FakeClock;
  /** The next connection's, in the order in which they were decided. */
  next(): Promise<TlsOutcome>;
  close(): void;
}

export async function openTlsGate(
  specs: Readonly<Record<string, CertificateSpec>>,
  options: TlsGateOptions = {},
): Promise<TlsGate> {
  const clock = new FakeClock();
  const wheel = new TimerWheel(clock);
  const store = new CertificateStore();
  for (const [id, spec] of Object.entries(specs)) store.set(id, spec);
  const acceptor = new TlsAcceptor({ store, wheel, ...options });
  const outcomes: TlsOutcome[] = [];
  const waiting: ((outcome: TlsOutcome) => void)[] = [];
  const tell = (outcome: TlsOutcome): void => {
    const take = waiting.shift();
    if (take === undefined) outcomes.push(outcome);
    else take(outcome);
  };
  const listener = await createSocketDriver(wheel).listen(
    { host: '127.0.0.1', port: 0 },
    {
      onWire(wire) {
        if (!(wire instanceof SocketWire)) throw new TypeError('the socket driver makes socket wires');
        const accept = (head?: Uint8Array): void => {
          const handler = {
            ...(options.onClientHello === undefined ? {} : { onClientHello: options.onClientHello }),
            onWire(secure: TlsWire) {
              options.onWire?.(secure);
              tell({ wire: secure });
            },
            onFailure: (error: GatewayError) => tell({ error }),
          };
          const attempt = acceptor.accept(wire, handler, head);
          options.onAccept?.(attempt);
        };
        if (options.isHeadRead === true) readHead(wire, accept);
        else accept();
      },
      onAcceptError(error) {
        throw error;
      },
    },
  );
  return {
    port: listener.port,
    store,
    acceptor,
    wheel,
    clock,
    next: () =>
      new Promise((resolve) => {
        const outcome = outcomes.shift();
        if (outcome === undefined) waiting.push(resolve);
        else resolve(outcome);
      }),
    close() {
      listener.close();
      for (const { wire } of outcomes) wire?.close();
    },
  };
}

function readHead(wire: SocketWire, onHead: (head: Uint8Array) => void): void {
  wire.handler = {
    onData(view) {
      wire.pause();
      onHead(Uint8Array.from(view));
    },
    onEnd() {},
    onWritten() {},
    onClosed() {},
  };
  wire.resume();
}

/** One that is closed after the test. */
export async function openTestGate(
  specs: Readonly<Record<string, CertificateSpec>>,
  options: TlsGateOptions = {},
): Promise<TlsGate> {
  const gate = await openTlsGate(specs, options);
  onTestFinished(() => gate.close());
  return gate;
}
