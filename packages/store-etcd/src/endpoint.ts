import { Client, Metadata, connectivityState } from '@grpc/grpc-js';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { api } from './etcd-api.ts';
import type { Method, WatchRequest, WatchResponse } from './etcd-api.ts';
import { etcdError, isStaleToken } from './etcd-error.ts';
import type { EtcdOptions } from './etcd-options.ts';
import { channelSettings } from './security.ts';
import type { ChannelSettings, TlsFiles } from './security.ts';

export type WatchCall = ClientDuplexStream<WatchRequest, WatchResponse>;

/**
 * One host of the cluster. Connects when it is first used. A request is sent once; it is sent again only after the
 * answer that our token is not valid any more, when nothing was done.
 */
export class Endpoint {
  readonly url: string;
  readonly #options: EtcdOptions;
  readonly #channel: ChannelSettings;
  #client: Client | undefined;
  #token: Promise<string> | undefined;

  constructor(url: string, options: EtcdOptions, files: TlsFiles) {
    this.url = url;
    this.#options = options;
    this.#channel = channelSettings(url, options.tls, files);
  }

  /** Rejects with the codes of `etcdError`, or with the signal's reason. */
  async call<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    signal: AbortSignal,
  ): Promise<Response> {
    try {
      const token = await this.#authenticate(signal);
      return await this.#send(method, request, token, signal).catch(async (error: unknown) => {
        if (token === undefined || !isStaleToken(error)) throw error;
        this.forgetToken();
        return this.#send(method, request, await this.#authenticate(signal), signal);
      });
    } catch (error) {
      signal.throwIfAborted();
      throw this.wrap(error);
    }
  }

  /** Resolves once the connection is up; makes it if need be. Rejects as `call` does. */
  async reach(signal: AbortSignal): Promise<void> {
    if (this.#connect().getChannel().getConnectivityState(false) === connectivityState.READY) return;
    const prefix = Buffer.from(this.#options.prefix);
    await this.call(api.range, { key: prefix, rangeEnd: prefix, countOnly: true }, signal);
  }

  /** A stream without a deadline; it fails with errors for `wrap`. Rejects as `call` does. */
  async watch(signal: AbortSignal): Promise<WatchCall> {
    const token = await this.#authenticate(signal).catch((error: unknown) => {
      signal.throwIfAborted();
      throw this.wrap(error);
    });
    const metadata = withToken(token);
    // A member that lost its leader would keep the stream open and silent; asked like this it ends the stream.
    metadata.set('hasleader', 'true');
    const { path, serialize, deserialize } = api.watch;
    return this.#connect().makeBidiStreamRequest(path, serialize, deserialize, metadata, {});
  }

  /** A failed call's error as a GatewayError. */
  wrap(error: unknown): Error {
    return etcdError(error, this.url, this.#options.timeoutMs);
  }

  forgetToken(): void {
    this.#token = undefined;
  }

  /** Drops the connection: the next call makes a new one at once, where a broken channel would pause first. */
  reset(): void {
    this.forgetToken();
    this.#client?.close();
    this.#client = undefined;
  }

  #connect(): Client {
    this.#client ??= new Client(this.#channel.target, this.#channel.credentials, this.#channel.options);
    return this.#client;
  }

  async #authenticate(signal: AbortSignal): Promise<string | undefined> {
    const { credentials } = this.#options;
    if (credentials === undefined) return undefined;
    const request = { name: credentials.user, password: credentials.password };
    const token = (this.#token ??= this.#send(api.authenticate, request, undefined, signal).then(
      (answer) => answer.token,
    ));
    return token.catch((error: unknown) => {
      if (this.#token === token) this.forgetToken();
      throw error;
    });
  }

  #send<Request, Response>(
    { path, serialize, deserialize }: Method<Request, Response>,
    request: Request,
    token: string | undefined,
    signal: AbortSignal,
  ): Promise<Response> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const deadline = Date.now() + this.#options.timeoutMs;
    const call = this.#connect().makeUnaryRequest(
      path,
      serialize,
      deserialize,
      request,
      withToken(token),
      { deadline },
      (error, answer) => {
        signal.removeEventListener('abort', cancel);
        if (answer === undefined)
          reject(error ?? new TypeError('grpc-js answered with neither an error nor a message'));
        else resolve(answer);
      },
    );
    const cancel = (): void => call.cancel();
    signal.addEventListener('abort', cancel);
    return promise;
  }
}

function withToken(token: string | undefined): Metadata {
  const metadata = new Metadata();
  if (token !== undefined) metadata.set('token', token);
  return metadata;
}
