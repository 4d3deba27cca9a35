import { request as requestHttp } from 'node:http';
import { text } from 'node:stream/consumers';
import { isMap } from '@apisix-ts/config';
import { GatewayError } from '@apisix-ts/errors';
import type { CommandContext } from './command.ts';
import { findHome } from './home.ts';
import type { Options } from './options.ts';
import { reachableHost } from './reachable-host.ts';
import { readRecord } from './run-record.ts';
import { requireRunning } from './running-gateway.ts';
import { checkSettings } from './settings-check.ts';

/** How long the gateway may be silent while it answers. Milliseconds. */
const SILENCE_MS = 30_000;

export interface ControlRequest {
  /** Default GET. */
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** `/v1/config/status` */
  readonly path: string;
  /** Behind the path; members that are undefined are left out. */
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** The Control API of the gateway that runs on this machine. */
export interface ControlClient {
  /**
   * @returns the answer, read as JSON.
   * @throws GatewayError `CONTROL_API_UNUSABLE`; `CONTROL_REQUEST_REFUSED` with the words of an answer other than 200.
   */
  ask(request: ControlRequest): Promise<unknown>;
}

/**
 * Finds the running gateway as `stop` does, and its Control API through the configuration that it was started with.
 * @throws GatewayError `CONTROL_API_UNUSABLE` when that is off, and as `requireRunning` and `checkSettings` do.
 */
export async function openControlClient(
  context: CommandContext,
  { home: homeOption }: Pick<Options, 'home'>,
): Promise<ControlClient> {
  const home = findHome(homeOption, context.env, context.cwd);
  const record = readRecord(home.path, requireRunning(home.path, context.signals));
  const { apisix } = checkSettings(context, home, record?.config).settings;
  if (!apisix.enable_control) throw unusable('it is off (apisix.enable_control in config.yaml)');
  const { ip, port } = apisix.control;
  return createControlClient(`http://${reachableHost(ip)}:${port}`);
}

/** @param origin `http://127.0.0.1:9090` */
export function createControlClient(origin: string): ControlClient {
  return {
    async ask({ method = 'GET', path, query = {}, body }) {
      const url = new URL(path, origin);
      for (const [name, value] of Object.entries(query)) {
        if (value !== undefined) url.searchParams.set(name, value);
      }
      const answer = await exchange(url, method, body);
      if (answer.status === 200) return answer.document;
      const reason = isMap(answer.document) ? answer.document['error_msg'] : undefined;
      throw new GatewayError(
        'CONTROL_REQUEST_REFUSED',
        `the gateway answered ${answer.status}: ${typeof reason === 'string' ? reason : 'without a reason'}`,
        { detail: { status: answer.status } },
      );
    },
  };
}

async function exchange(
  url: URL,
  method: string,
  body: unknown,
): Promise<{ readonly status: number; readonly document: unknown }> {
  try {
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; document: unknown }>();
    const content = body === undefined ? undefined : JSON.stringify(body);
    const headers = content === undefined ? {} : { 'content-type': 'application/json' };
    const request = requestHttp(url, { method, headers, timeout: SILENCE_MS });
    request.on('error', reject);
    request.on('timeout', () => request.destroy(new Error(`no answer within ${SILENCE_MS / 1000} s`)));
    request.on('response', (response) => {
      text(response)
        .then((answer) => ({ status: response.statusCode ?? 0, document: JSON.parse(answer) as unknown }))
        .then(resolve, reject);
    });
    request.end(content);
    return await promise;
  } catch (cause) {
    throw unusable(`${url.origin}: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

function unusable(reason: string, cause?: unknown): GatewayError {
  return new GatewayError(
    'CONTROL_API_UNUSABLE',
    `the Control API of the running gateway cannot be used: ${reason}`,
    { cause },
  );
}
