import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@apisix-ts/testkit';

/** A package registry of our own, in memory: what is published to it can be installed from it. */
export interface NpmRegistry {
  readonly url: string;
  /** The settings of a user who has our scope there, and everything else where this machine has it. */
  readonly env: Readonly<Record<string, string>>;
  /** By name, in the order of their arrival. */
  readonly published: ReadonlyMap<string, Publication>;
  close(): Promise<void>;
}

export interface Publication {
  /** What the registry tells of the package: its versions, here always one. */
  readonly document: object;
  readonly tarball: Buffer;
}

export async function openNpmRegistry(): Promise<NpmRegistry> {
  const published = new Map<string, Publication>();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const server = createServer((request, response) => void answer(request, response, published));
  server.listen(port, '127.0.0.1');

  const folder = await mkdtemp(join(tmpdir(), 'npm-user-'));
  const settings = join(folder, 'npmrc');
  await writeFile(
    settings,
    `@apisix-ts:registry=${url}\n//127.0.0.1:${port}/:_authToken=nobody\nfund=false\naudit=false\nupdate-notifier=false\n`,
  );
  return {
    url,
    // Both spellings: `npm test` sets one of them for its own user, and it would come first.
    env: {
      NPM_CONFIG_USERCONFIG: settings,
      npm_config_userconfig: settings,
      npm_config_cache: join(folder, 'cache'),
    },
    published,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  published: Map<string, Publication>,
): Promise<void> {
  const path = decodeURIComponent(new URL(request.url ?? '/', 'http://registry').pathname).slice(1);
  const [name = '', file] = path.split('/-/');
  if (request.method === 'PUT') {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    published.set(name, readPublication(Buffer.concat(chunks).toString()));
    response.writeHead(201).end('{}');
    return;
  }
  const found = published.get(name);
  if (found === undefined) {
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"not found"}');
  } else if (file === undefined) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(found.document));
  } else {
    response.writeHead(200).end(found.tarball);
  }
}

function readPublication(body: string): Publication {
  // What npm's clients send: the document, and the tarball as one of its members.
  const { _attachments: files, ...document } = JSON.parse(body) as {
    readonly _attachments: Readonly<Record<string, { readonly data: string }>>;
  };
  const [file] = Object.values(files);
  if (file === undefined) throw new Error('expected a publication with a tarball, found none');
  return { document, tarball: Buffer.from(file.data, 'base64') };
}
