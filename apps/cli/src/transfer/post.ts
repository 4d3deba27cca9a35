import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { text } from 'node:stream/consumers';

export interface PostOptions {
  readonly url: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** PEM: the one certificate that the server may show, whatever its name. For `https`. */
  readonly certificate?: string;
}

export interface PostAnswer {
  readonly status: number;
  readonly text: string;
}

/** Node's `fetch` cannot be told which certificate to trust. Rejects with the system's or OpenSSL's error. */
export function post({ url, body, headers, certificate }: PostOptions): Promise<PostAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<PostAnswer>();
  const options = { method: 'POST', headers: { ...headers, 'content-length': Buffer.byteLength(body) } };
  const request =
    certificate === undefined
      ? requestPlain(url, options)
      : requestTls(url, {
          ...options,
          ca: certificate,
          // It need not be signed by itself, nor be for the address of this machine.
          allowPartialTrustChain: true,
          checkServerIdentity: () => undefined,
        });
  request.on('error', reject);
  request.on('response', (response) => {
    text(response).then((answer) => resolve({ status: response.statusCode ?? 0, text: answer }), reject);
  });
  request.end(body);
  return promise;
}
