import { freePort } from '@apisix-ts/testkit';

/** Ports of loopback that nobody has at this moment, all different. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports: number[] = [];
  while (ports.length < count) ports.push(await freePort());
  return ports;
}
