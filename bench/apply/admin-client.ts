import { Agent, request } from 'node:http';

/** Puts resources through the Admin API, over one connection that stays open. */
export interface AdminClient {
  /** Settles with the answer. Rejects when it is not a success. */
  put(path: string, document: object): Promise<void>;
  close(): void;
}

export function openAdminClient(port: number): AdminClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    put(path, document) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const options = { agent, port, host: '127.0.0.1', method: 'PUT', path: `/apisix/admin/${path}` };
      const sent = request(options, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('end', () => {
          const isFine = response.statusCode === 200 || response.statusCode === 201;
          if (isFine) resolve();
          else reject(new Error(`PUT ${path} was answered with ${response.statusCode}: ${text}`));
        });
      });
      sent.on('error', reject);
      sent.end(JSON.stringify(document));
      return promise;
    },
    close: () => agent.destroy(),
  };
}
