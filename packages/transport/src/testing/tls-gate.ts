import { TimerWheel } from '@apisix-ts/core';
import type { GatewayError } from '@apisix-ts/errors';
import { FakeClock } from '@apisix-ts/testkit';
import { onTestFinished } from 'vitest';
import { createSocketDriver } from '../socket/socket-driver.ts';
import { SocketWire } from '../socket/socket-wire.ts';
import { CertificateStore } from '../tls/certificate-store.ts';
import type { CertificateSpec } from '../tls/certificate-store.ts';
import { TlsAcceptor } from '../tls/tls-acceptor.ts';
import type { TlsAccept, TlsAcceptOptions } from '../tls/tls-acceptor.ts';
import type { TlsWire } from '../tls/tls-wire.ts';

export interface TlsOutcome {
  readonly wire?: TlsWire;
  readonly error?: GatewayError;
}

export interface TlsGateOptions extends Partial<TlsAcceptOptions> {
  /** Called with each connection's attempt. */
  readonly onAccept?: (attempt: TlsAccept) => void;
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
        const attempt = acceptor.accept(wire, {
          onWire: (secure) => tell({ wire: secure }),
          onFailure: (error) => tell({ error }),
        });
        options.onAccept?.(attempt);
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

/** One that is closed after the test. */
export async function openTestGate(
  specs: Readonly<Record<string, CertificateSpec>>,
  options: TlsGateOptions = {},
): Promise<TlsGate> {
  const gate = await openTlsGate(specs, options);
  onTestFinished(() => gate.close());
  return gate;
}
