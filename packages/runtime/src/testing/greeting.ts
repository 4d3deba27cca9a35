import { connectPeer, openServer } from '@apisix-ts/testkit';
import type { Peer, TestServer } from '@apisix-ts/testkit';

/** A server that greets everyone who connects, so that a client knows when it is served, and ends when the client does. */
export async function openGreeter(): Promise<TestServer> {
  const server = await openServer();
  void (async () => {
    for (;;) {
      const peer = await server.accept();
      // A client that is gone already is not the server's business.
      peer.send('hello').catch(() => {});
      void peer.rest().then(() => peer.end());
    }
  })();
  return server;
}

/** Connects until it is greeted or closed. @returns undefined when it was closed without a byte. */
export async function enter(port: number): Promise<Peer | undefined> {
  const client = await connectPeer(port);
  try {
    await client.take(5);
    return client;
  } catch {
    client.destroy();
    return undefined;
  }
}

/** One after the other. @returns those that were let in. */
export async function enterMany(port: number, count: number): Promise<Peer[]> {
  const clients: Peer[] = [];
  for (let tried = 0; tried < count; tried++) {
    const client = await enter(port);
    if (client !== undefined) clients.push(client);
  }
  return clients;
}
