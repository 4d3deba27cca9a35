import type { Answer } from './answer.ts';
import type { AdminRequest } from './request.ts';

/** Answers a request whose sender may make it. */
export type Endpoint = (request: AdminRequest, query: URLSearchParams) => Promise<Answer>;

/**
 * What an Admin API serves. It has no sockets and no keys: addresses, keys, CORS and the size of bodies are looked at
 * before it is asked, and are the same for all.
 */
export interface Endpoints {
  /**
   * @param method upper case.
   * @param path decoded, without `/apisix/admin`.
   * @returns undefined where there is nothing, whoever asks: that is a 404.
   */
  find(method: string, path: readonly string[]): Endpoint | undefined;
}
