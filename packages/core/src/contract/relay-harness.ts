import { createHash } from 'node:crypto';
import { relay } from '../pipe/relay.ts';
import type { RelayOptions, RelayResult, Session } from '../pipe/relay.ts';
import { TimerWheel } from '../pipe/timer-wheel.ts';
import type { WheelClock } from '../pipe/timer-wheel.ts';
import type { Wire } from '../pipe/wire.ts';
import type { ContractPeer } from './peer.ts';

/** A fault on one of the two connections, as the testkit's toxic proxy makes it. */
export interface RelayToxic {
  readonly side: 'client' | 'server';
  readonly way: 'toRelay' | 'fromRelay';
  readonly toxic:
    | { readonly kind: 'slice'; readonly bytes: number }
    | { readonly kind: 'stall' | 'reset' | 'halfClose' | 'stopReading'; readonly afterBytes: number };
}

/** The two connections that a relay joins, and who is at their far ends. */
export interface RelayEnds {
  readonly client: ContractPeer;
  readonly downstream: Wire;
  readonly upstream: Wire;
  readonly server: ContractPeer;
}

/** What an implementation of `Wire` gives to have relays over it tested. */
export interface RelayHarness {
  /** New connections. Opens nothing else that outlives them, but may keep what every call shares. */
  open(toxic?: RelayToxic): Promise<RelayEnds>;
  /** The sides with TLS on them: there a toxic counts TLS's bytes, and cuts its records. Default: neither. */
  readonly tlsSides?: readonly RelayToxic['side'][];
  createClock(): WheelClock & { advance(byMs: number): void };
  /** Open descriptors of this process. */
  countDescriptors(): number;
}

/** A running relay with everything a case looks at. */
export interface RunningRelay extends RelayEnds {
  readonly session: Session;
  readonly clock: { advance(byMs: number): void };
  readonly wheel: TimerWheel;
  readonly done: Promise<RelayResult>;
  /** How often `onDone` came. */
  doneCount(): number;
}

export interface StartOptions extends Omit<RelayOptions, 'wheel'> {
  readonly head?: Uint8Array;
}

export async function startRelay(
  harness: RelayHarness,
  options: StartOptions = {},
  toxic?: RelayToxic,
): Promise<RunningRelay> {
  return joinEnds(harness, await harness.open(toxic), options);
}

export function joinEnds(harness: RelayHarness, ends: RelayEnds, options: StartOptions = {}): RunningRelay {
  const clock = harness.createClock();
  const wheel = new TimerWheel(clock);
  const { promise: done, resolve } = Promise.withResolvers<RelayResult>();
  let count = 0;
  const onDone = (result: RelayResult): void => {
    count += 1;
    resolve(result);
  };
  const { head, ...rest } = options;
  const session = relay(ends.downstream, ends.upstream, { ...rest, wheel }, onDone, head);
  return { ...ends, session, clock, wheel, done, doneCount: () => count };
}

/** What `ContractPeer.rest` answers for exactly these bytes and an end. */
export function wholeOf(bytes: Uint8Array): { bytes: number; hash: string; ending: 'end' } {
  return { bytes: bytes.length, hash: createHash('sha256').update(bytes).digest('hex'), ending: 'end' };
}

/** A send whose failing is part of the case. */
export function sendInVain(peer: ContractPeer, bytes: Uint8Array): void {
  peer.send(bytes).catch(() => {
    // The connection is broken on purpose before all of it is taken.
  });
}
