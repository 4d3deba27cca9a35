import type { VariableSource } from '../variables/variable-source.ts';

/** A TCP session on route `r` that has ended as it should, by these facts instead. */
export function testSession(facts: Partial<VariableSource> = {}): VariableSource {
  return {
    transport: 'tcp',
    number: 7,
    listenerName: '0.0.0.0:9100',
    remoteAddress: '192.0.2.7',
    remotePort: 4711,
    peerAddress: '10.0.0.1',
    peerPort: 40_000,
    serverAddress: '198.51.100.1',
    serverPort: 9100,
    proxied: undefined,
    serverName: undefined,
    alpn: undefined,
    tls: undefined,
    route: { id: 'r', name: undefined, serviceId: undefined },
    serviceName: undefined,
    bytesReceived: 10,
    bytesSent: 20,
    durationMs: 1234.5,
    attempts: ['192.0.2.1:3306', '192.0.2.2:3306'],
    attemptedNode: { address: '192.0.2.2', port: 3306 },
    upstreamTransfer: { connectMs: 1.6, sessionMs: 1230, bytesReceived: 20, bytesSent: 10 },
    ownVariables: undefined,
    ending: { reason: 'OK', status: 200, atMs: Date.UTC(2026, 10, 23, 3, 4, 5, 678) },
    ...facts,
  };
}
