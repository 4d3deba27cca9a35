import type { StoreWriter } from '@apisix-ts/config';

/** A stream route as it is stored. */
export interface RouteDocument {
  readonly id: string;
  readonly server_port?: number;
  readonly server_addr?: string;
  readonly remote_addr?: string;
  readonly plugins?: Readonly<Record<string, object>>;
  readonly upstream: { readonly type: 'roundrobin'; readonly nodes: Readonly<Record<string, 1>> };
}

/** Writes that wait for the disk at a time. */
const AT_ONCE = 500;

export async function writeRoutes(writer: StoreWriter, routes: readonly RouteDocument[]): Promise<void> {
  for (let start = 0; start < routes.length; start += AT_ONCE) {
    const part = routes.slice(start, start + AT_ONCE);
    await Promise.all(part.map((route) => writer.put(`stream_routes/${route.id}`, JSON.stringify(route))));
  }
}

/** An upstream of these ports of loopback. */
export function upstreamOf(ports: readonly number[]): RouteDocument['upstream'] {
  return {
    type: 'roundrobin',
    nodes: Object.fromEntries(ports.map((port) => [`127.0.0.1:${port}`, 1])),
  };
}
