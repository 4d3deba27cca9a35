import { checkResource } from '@apisix-ts/config';
import type {
  CheckContext,
  Document,
  DocumentView,
  ResourceKind,
  Revision,
  StoreWriter,
} from '@apisix-ts/config';
import type { AdminKey } from './auth.ts';
import { createDispatch } from './dispatch.ts';
import { createHttpServer } from './http-server.ts';
import type { AdminLog, HttpLimits, HttpServer } from './http-server.ts';
import { checkKeyring } from './keyring.ts';
import type { PluginFacts } from './plugin-facts.ts';
import { createResourceStore } from './resource-store.ts';
import { createWriteGate } from './write-gate.ts';

export interface AdminServerOptions extends HttpLimits {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** Addresses and CIDR blocks that may connect; undefined is everyone, an empty list no one. */
  readonly allowAdmin: readonly string[] | undefined;
  /** Undefined: no authentication, as with `keyRequired: false`. */
  readonly adminKeys: readonly AdminKey[] | undefined;
  readonly keyRequired: boolean;
  /** Let browsers call from other origins. */
  readonly cors: boolean;
  /** The `Server` header. */
  readonly serverToken: string;
  /** Does `apisix.proxy_mode` have `stream` in it at the moment? Otherwise stream routes are refused. */
  readonly isStreamEnabled: () => boolean;
  readonly kinds: readonly ResourceKind[];
  readonly checkContext: CheckContext;
  /** What the plugin endpoints tell about. */
  readonly plugins: readonly PluginFacts[];
  readonly writer: StoreWriter;
  /** The resources in effect, for the question whether something is still used. */
  readonly documents: DocumentView;
  /** Resolves once `documents` shows the revision; rejects when `signal` aborts before that. */
  readonly applied: (revision: Revision, signal: AbortSignal) => Promise<void>;
  /** How long a deletion waits for that before it reads the store instead. Milliseconds; default 1000. */
  readonly appliedTimeoutMs?: number;
  /** Before the keys in answers, `/apisix`: where the store keeps them. */
  readonly prefix: string;
  /**
   * `apisix.data_encryption.keyring`: the first key encrypts private keys in the store, all are tried to open them.
   * Default none: they are stored as they are.
   */
  readonly keyring?: readonly string[];
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Does what `PUT plugins/reload` asks for. What it rejects with is answered with 503. */
  readonly reloadPlugins: () => Promise<void>;
  /** Is told the revision of every acknowledged write of a resource, before the client is. */
  readonly onWritten?: (revision: Revision) => void;
  readonly log: AdminLog;
}

/**
 * The Admin API of APISIX 3.x over HTTP. `docs/config/admin-api.md` is its page.
 * @throws GatewayError `SETTINGS_INVALID` for an entry of `allowAdmin` that is no address, or a key of `keyring` that has
 * neither 16 nor 32 bytes.
 */
export function createAdminServer(options: AdminServerOptions): HttpServer {
  const { checkContext, cors, writer, prefix, onWritten, now } = options;
  const faultIn =
    (context: CheckContext) =>
    (kind: ResourceKind, document: Document): string | undefined => {
      const checked = checkResource(kind, document, context);
      return checked.ok ? undefined : checked.message;
    };
  const dispatch = createDispatch(
    {
      kinds: options.kinds,
      plugins: options.plugins,
      resources: createResourceStore(writer, prefix, onWritten),
      writer,
      documents: options.documents,
      applied: options.applied,
      appliedTimeoutMs: options.appliedTimeoutMs ?? 1000,
      keyring: checkKeyring(options.keyring ?? []),
      gate: createWriteGate(),
      nowSeconds: () => Math.floor(now() / 1000),
      reloadPlugins: options.reloadPlugins,
      fault: faultIn(checkContext),
      storedFault: faultIn({ ...checkContext, isStored: true }),
    },
    {
      keys: options.keyRequired ? options.adminKeys : undefined,
      cors,
      isStreamEnabled: options.isStreamEnabled,
    },
  );
  return createHttpServer(dispatch, options);
}
