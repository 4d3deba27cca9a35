import { networkInterfaces } from 'node:os';
import type { WheelClock } from '@apisix-ts/core';

/** How long an answer of the system is good for all who ask. Milliseconds. */
const FRESH_MS = 1000;

/** `localAddresses` for many listeners that look at the same time: the system is asked once a second at most. */
export function findAddressesOnce(clock: WheelClock): (family: 4 | 6) => readonly string[] {
  const known = new Map<4 | 6, { readonly untilMs: number; readonly addresses: readonly string[] }>();
  return (family) => {
    const nowMs = clock.nowMs();
    let answer = known.get(family);
    if (answer === undefined || nowMs >= answer.untilMs) {
      answer = { untilMs: nowMs + FRESH_MS, addresses: localAddresses(family) };
      known.set(family, answer);
    }
    return answer.addresses;
  };
}

/** The addresses of this machine's interfaces. Link-local ones of IPv6 have their zone: `fe80::1%eth0`. */
export function localAddresses(family: 4 | 6): readonly string[] {
  const addresses: string[] = [];
  for (const [name, entries = []] of Object.entries(networkInterfaces())) {
    for (const entry of entries) {
      if (entry.family !== `IPv${family}`) continue;
      addresses.push(isLinkLocal(entry.address) ? `${entry.address}%${name}` : entry.address);
    }
  }
  return addresses;
}

/** `fe80::/10` */
function isLinkLocal(address: string): boolean {
  return /^fe[89ab]/i.test(address);
}
