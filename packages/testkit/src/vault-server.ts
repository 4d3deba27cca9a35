import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

export interface VaultServerOptions {
  /** Engines by their mount, and their versions. Default: `kv` of version 1 and `secret` of version 2. */
  readonly mounts?: Readonly<Record<string, 1 | 2>>;
  /** The one token that may do everything. Default `root`. */
  readonly token?: string;
  /** The one namespace there is; default: none is asked for. */
  readonly namespace?: string;
  /** PEM, both; default: plain HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Default: any free one. */
  readonly port?: number;
}

/** A stand-in for Vault's key-value engines: a real HTTP server that answers as their documentation says. */
export interface VaultServer {
  readonly url: string;
  readonly port: number;
  /** `GET /v1/kv/db` for each request that came, in order. */
  readonly requests: readonly string[];
  /** Makes a new version of a secret: `secret/db`, without `data`. */
  write(path: string, values: object): void;
  /** Deletes the last version. */
  delete(path: string): void;
  isSealed: boolean;
  /** Answers in place of the engines while it is there. */
  instead: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  /** Closes it and every connection. Idempotent. */
  close(): Promise<void>;
}

interface Kept {
  values: object | undefined;
  version: number;
}

export async function openVaultServer(options: VaultServerOptions = {}): Promise<VaultServer> {
  const { mounts = { kv: 1, secret: 2 }, token = 'root', namespace, tls } = options;
  const kept = new Map<string, Kept>();
  const requests: string[] = [];

  function write(path: string, values: object): void {
    kept.set(path, { values, version: (kept.get(path)?.version ?? 0) + 1 });
  }

  /** Finds the engine and what its path means: of version 2, `secret/data/db` is the secret `secret/db`. */
  function locate(
    path: string,
  ): { readonly version: 1 | 2; readonly secret: string | undefined } | undefined {
    const mount = Object.keys(mounts).find((each) => path.startsWith(`${each}/`));
    if (mount === undefined) return undefined;
    const version = mounts[mount] ?? 1;
    if (version === 1) return { version, secret: path };
    const below = path.slice(mount.length + 1);
    return { version, secret: below.startsWith('data/') ? `${mount}/${below.slice(5)}` : undefined };
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent((request.url ?? '').replace(/^\/v1\//, ''));
    requests.push(`${request.method} ${request.url}`);
    const reply = (status: number, body: object): void => {
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
    };
    if (server.instead !== undefined) {
      server.instead(request, response);
      return;
    }
    if (server.isSealed) return reply(503, { errors: ['Vault is sealed'] });
    const isKnown = request.headers['x-vault-token'] === token;
    if (!isKnown || request.headers['x-vault-namespace'] !== namespace) {
      return reply(403, { errors: ['2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n'] });
    }
    const place = locate(path);
    if (place === undefined) {
      return reply(404, { errors: [`no handler for route "${path}". route entry not found.`] });
    }
    const { version, secret } = place;
    if (secret === undefined) return reply(404, { ...envelope, warnings: [WRONG_PATH] });
    if (request.method === 'POST' || request.method === 'PUT') {
      // Only tests send it.
      const sent = (await json(request)) as { readonly data: object };
      write(secret, version === 2 ? sent.data : sent);
      response.writeHead(204).end();
      return;
    }
    const found = kept.get(secret);
    if (found === undefined) return reply(404, { errors: [] });
    if (version === 1) {
      return found.values === undefined
        ? reply(404, { errors: [] })
        : reply(200, { ...envelope, lease_duration: 2_764_800, data: found.values });
    }
    const metadata = {
      created_time: '2026-11-20T09:00:00.000000000Z',
      custom_metadata: null,
      deletion_time: found.values === undefined ? '2026-11-20T10:00:00.000000000Z' : '',
      destroyed: false,
      version: found.version,
    };
    reply(found.values === undefined ? 404 : 200, {
      ...envelope,
      data: { data: found.values ?? null, metadata },
    });
  }

  const listener = (request: IncomingMessage, response: ServerResponse): void =>
    void answer(request, response);
  const http = tls === undefined ? createHttpServer(listener) : createHttpsServer(tls, listener);
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  // It listens on an address of its own.
  const { port } = http.address() as AddressInfo;

  const server: VaultServer = {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    requests,
    write,
    delete: (path) => {
      const found = kept.get(path);
      if (found !== undefined) found.values = undefined;
    },
    isSealed: false,
    instead: undefined,
    async close() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  return server;
}

/** What is around the data of every answer. */
const envelope = {
  request_id: 'c7a3c5e1-7e0d-4a0e-9d0c-0a6f5f1f4f11',
  lease_id: '',
  renewable: false,
  lease_duration: 0,
  data: null,
  wrap_info: null,
  warnings: null as readonly string[] | null,
  auth: null,
};

const WRONG_PATH =
  'Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use. ' +
  "If using the Vault CLI, use 'vault kv get' for this operation.";
