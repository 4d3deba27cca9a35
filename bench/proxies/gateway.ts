import { join } from 'node:path';
import { openEmbeddedStore } from '@apisix-ts/store-embedded';
import { freePorts } from '../programs/free-ports.ts';
import { upstreamOf, writeRoutes } from '../routes/write-routes.ts';
import { embeddedStorePath, startGateway } from './gateway-program.ts';
import type { ProxyKind } from './proxy.ts';

/** This gateway: embedded store, one worker thread beside the main thread, no other server. */
export function gateway(relay: 'auto' | 'socket'): ProxyKind {
  return {
    name: `this gateway, relay ${relay}`,
    missing: undefined,
    async start(workbench, backends, cpu) {
      const [echoPort = 0, sinkPort = 0, datagramPort = 0] = await freePorts(3);
      const home = join(workbench.folder, `gateway-${relay}`);
      const store = await openEmbeddedStore({ path: embeddedStorePath(home) });
      await writeRoutes(store.writer, [
        { id: 'echo', server_port: echoPort, upstream: upstreamOf(backends.echo) },
        { id: 'sink', server_port: sinkPort, upstream: upstreamOf([backends.sink]) },
        { id: 'datagrams', server_port: datagramPort, upstream: upstreamOf([backends.datagramEcho]) },
      ]);
      await store.close();
      const { pid } = await startGateway(workbench, {
        home,
        ports: [echoPort, sinkPort],
        udpPorts: [datagramPort],
        workers: 1,
        relay,
        cpu,
      });
      // UDP is the same with each relay.
      return { pid, echoPort, sinkPort, ...(relay === 'auto' ? { datagramPort } : {}) };
    },
  };
}
