import { once } from 'node:events';
import { request as requestHttp } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';

export interface HttpGetOptions {
  readonly headers: Readonly<Record<string, string>>;
  /** PEM of the authorities to trust. Absent: those of Node. */
  readonly ca: string | undefined;
  /** A longer body is not read to its end. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Undefined: longer than `maxBytes`. */
  readonly body: string | undefined;
}

/**
 * One GET on a connection of its own. Redirects are answers like others. Node's `fetch` cannot be told whom to trust
 * without another package. Rejects with the system's error, OpenSSL's, or the reason of `signal`.
 */
export async function httpGet(url: URL, options: HttpGetOptions): Promise<HttpAnswer> {
  const { headers, ca, maxBytes, signal } = options;
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  const request = send(url, { headers, agent: false, ...(ca === undefined ? {} : { ca }) });
  const abort = (): void => void request.destroy(signal.reason as Error);
  signal.addEventListener('abort', abort);
  try {
    signal.throwIfAborted();
    request.end();
    // The only argument of this event.
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    // From here on the response tells of failures, and the request repeats them.
    request.on('error', () => {});
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      body: await readBody(response, maxBytes),
    };
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener('abort', abort);
    request.destroy();
  }
}

async function readBody(response: IncomingMessage, maxBytes: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
