import type { PlannedChange } from '@apisix-ts/admin';
import { adminTls, isMap } from '@apisix-ts/config';
import type { Settings, StoreSnapshot } from '@apisix-ts/config';
import { GatewayError, isErrorCode } from '@apisix-ts/errors';
import { reachableHost } from '../reachable-host.ts';
import { post } from './post.ts';
import type { PostAnswer } from './post.ts';
import type { StoreAccess } from './store-access.ts';

/** A body of the Admin API may have 1.5 MiB. */
const bodyBytes = 1_000_000;
const changesAtOnce = 500;

/**
 * The store behind the Admin API of a gateway that runs on this machine.
 * @throws GatewayError `ADMIN_API_UNUSABLE` when it is off.
 */
export async function openAdminClient(
  settings: Settings,
  home: string,
): Promise<Pick<StoreAccess, 'load' | 'make' | 'atOnce' | 'close'>> {
  if (!settings.apisix.enable_admin) {
    throw unusable('it is off (apisix.enable_admin), and the running gateway has the store: stop it first');
  }
  const { adminKeys } = await import('@apisix-ts/gateway');
  const key = adminKeys(settings, home)?.find(({ role }) => role === 'admin')?.key;
  const { ip, port } = settings.deployment.admin.admin_listen;
  const tls = adminTls(settings, home);
  if (tls?.clientCa !== undefined) {
    throw unusable(
      'it wants a client certificate (admin_ssl_ca_cert), and the command has none: stop the gateway first',
    );
  }
  const root = `${tls === undefined ? 'http' : 'https'}://${reachableHost(ip)}:${port}/apisix/admin`;
  const options = {
    headers: key === undefined || key === '' ? {} : { 'x-api-key': key },
    ...(tls === undefined ? {} : { certificate: tls.cert }),
  };

  async function ask(path: string, body: string): Promise<unknown> {
    const url = `${root}/${path}`;
    let answer: PostAnswer;
    try {
      answer = await post({ ...options, url, body });
    } catch (error) {
      throw unusable(`${url}: ${error instanceof Error ? error.message : String(error)}`, error);
    }
    if (answer.status !== 200) throw unusable(`${url} answered ${answer.status}: ${answer.text.trim()}`);
    return JSON.parse(answer.text);
  }

  return {
    async load() {
      // What our own Admin API answers.
      return (await ask('export', '')) as StoreSnapshot;
    },
    async make(changes) {
      const results: PromiseSettledResult<unknown>[] = [];
      for (const body of bodiesOf(changes)) {
        try {
          results.push(...readResults(await ask('import', body)));
        } catch (reason) {
          // What came before it was made, and counts.
          results.push({ status: 'rejected', reason });
        }
        if (results.some(({ status }) => status === 'rejected')) break;
      }
      return results;
    },
    atOnce: changesAtOnce,
    close: async () => {},
  };
}

/** As many requests as their size asks for. */
function* bodiesOf(changes: readonly PlannedChange[]): Iterable<string> {
  let parts: string[] = [];
  let size = 0;
  const body = (): string => `{"changes":[${parts.join(',')}]}`;
  for (const { key, expected, value } of changes) {
    const document = value === undefined ? '' : `,"document":${value}`;
    const part = `{"key":${JSON.stringify(key)},"expected":${expected}${document}}`;
    const bytes = Buffer.byteLength(part);
    if (parts.length > 0 && size + bytes > bodyBytes) {
      yield body();
      parts = [];
      size = 0;
    }
    parts.push(part);
    size += bytes;
  }
  if (parts.length > 0) yield body();
}

function readResults(answer: unknown): readonly PromiseSettledResult<unknown>[] {
  const list = isMap(answer) ? answer['results'] : undefined;
  if (!Array.isArray(list)) throw unusable(`expected results, found ${JSON.stringify(answer)}`);
  return list.map(toResult);
}

function toResult(result: unknown): PromiseSettledResult<unknown> {
  if (!isMap(result) || result['code'] === undefined) return { status: 'fulfilled', value: undefined };
  const { code, error_msg: message } = result;
  return {
    status: 'rejected',
    reason: new GatewayError(isErrorCode(code) ? code : 'ADMIN_API_UNUSABLE', String(message)),
  };
}

function unusable(reason: string, cause?: unknown): GatewayError {
  return new GatewayError(
    'ADMIN_API_UNUSABLE',
    `the Admin API of the running gateway cannot be used: ${reason}`,
    {
      cause,
    },
  );
}
