import { writeProxyV1, writeProxyV2 } from '@apisix-ts/core';
import type { IpAddresses } from '@apisix-ts/core';

/** Who is connected to whom, as the client sees it. */
interface Ends {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly serverAddress: string;
  readonly serverPort: number;
}

/** The PROXY header for an upstream; undefined for version 0. */
export function writeProxyHeader(version: 0 | 1 | 2, ends: Ends): Uint8Array | undefined {
  if (version === 0) return undefined;
  const addresses: IpAddresses = {
    family: 'ip',
    transport: 'stream',
    source: { address: ends.remoteAddress, port: ends.remotePort },
    destination: { address: ends.serverAddress, port: ends.serverPort },
  };
  return version === 1 ? writeProxyV1(addresses) : writeProxyV2(addresses);
}
