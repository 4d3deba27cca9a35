import { compileSchema } from '../validate/compile-schema.ts';
import type { JsonSchema } from '../validate/json-schema.ts';
import { isReference } from '../validate/text-keyword.ts';
import { checkUpstream } from './check-upstream.ts';
import { idSchema } from './fields.ts';
import { upstreamSchema } from './upstream.ts';
import type { UpstreamDocument } from './upstream.ts';
import { varsFault } from './vars.ts';
import type { CheckContext, Document, DocumentCheck, PluginSchemas } from './resource-kind.ts';

/** Plugin configurations by the plugin's name. */
export type PluginsField = Readonly<Record<string, unknown>>;

export type PluginsCheck =
  | { readonly ok: true; readonly plugins: PluginsField }
  | { readonly ok: false; readonly message: string };

/** What every plugin's configuration may carry beside its own fields. */
const metaSchema: JsonSchema = {
  type: 'object',
  properties: {
    disable: { type: 'boolean' },
    error_response: { oneOf: [{ type: 'string' }, { type: 'object' }] },
    priority: { type: 'integer' },
    filter: { type: 'array' },
    pre_function: { type: 'string' },
  },
  additionalProperties: false,
};

const schemasWithMeta = new WeakMap<JsonSchema, JsonSchema>();

/** What `$ref` in a plugin's schema may name. */
const parts: Readonly<Record<string, JsonSchema>> = { id: idSchema, upstream: upstreamSchema };

/**
 * A plugin's schema as it is served and checked: with `_meta`, and with what it refers to. The same object for the same
 * schema.
 */
export function withMeta(schema: JsonSchema): JsonSchema {
  const known = schemasWithMeta.get(schema);
  if (known !== undefined) return known;
  const whole = withParts(schema) as JsonSchema; // a table stays one
  const properties = whole['properties'];
  const merged = { ...whole, properties: { ...(isTable(properties) ? properties : {}), _meta: metaSchema } };
  schemasWithMeta.set(schema, merged);
  return merged;
}

function withParts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((member) => withParts(member));
  if (!isTable(value)) return value;
  const part = value['$ref'];
  if (typeof part === 'string' && parts[part] !== undefined) return parts[part];
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withParts(member)]));
}

export interface PluginsCheckOptions {
  /** The plugins that a resource of this kind may have, by name. */
  readonly known: (name: string) => PluginSchemas | undefined;
  /** Of the resource: where it is stored, others pass unchecked. */
  readonly context: CheckContext;
  /** Puts a validator's message about a plugin into the words of the resource. Default: those of most. */
  readonly describe?: (name: string, reason: string) => string;
  /** Checks one configuration. Default: against its plugin's schema, then what the plugin itself has to say. */
  readonly check?: (plugin: PluginSchemas, configuration: PluginsField, context: CheckContext) => PluginCheck;
}

type PluginCheck =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly message: string };

/**
 * Checks each configuration and fills in its defaults. One that is switched off with `_meta.disable` may be wrong and
 * stays as it is.
 */
export function checkPlugins(
  plugins: PluginsField,
  { known, context, describe = describePluginFault, check = checkConfiguration }: PluginsCheckOptions,
): PluginsCheck {
  const checked = new Map(Object.entries(plugins));
  for (const [name, configuration] of Object.entries(plugins)) {
    if (!isTable(configuration)) {
      return {
        ok: false,
        message: `invalid plugin conf ${JSON.stringify(configuration)} for plugin [${name}]`,
      };
    }
    const plugin = known(name);
    if (plugin === undefined) {
      if (context.isStored === true) continue;
      return { ok: false, message: `unknown plugin [${name}]` };
    }
    if (isDisabled(configuration)) continue;
    const result = check(plugin, configuration, context);
    if (!result.ok) return { ok: false, message: describe(name, result.message) };
    checked.set(name, result.value);
  }
  return { ok: true, plugins: Object.fromEntries(checked) };
}

/** The configuration of a plugin, defaults filled in. */
function checkConfiguration(
  plugin: PluginSchemas,
  configuration: PluginsField,
  context: CheckContext,
): PluginCheck {
  const checked = compileSchema(withMeta(plugin.schema))(configuration);
  if (!checked.ok) return checked;
  const message = plugin.check?.(checked.value) ?? upstreamsFault(plugin, checked.value, context);
  return message === undefined ? checked : { ok: false, message };
}

/** What is wrong with an upstream within a configuration that fits its schema. */
function upstreamsFault(
  plugin: PluginSchemas,
  configuration: unknown,
  context: CheckContext,
): string | undefined {
  for (const target of plugin.upstreams?.(configuration) ?? []) {
    if ('id' in target) continue;
    const upstream = target.upstream as UpstreamDocument; // the plugin's schema has that of upstreams there
    const fault = checkUpstream(upstream, context) ?? privateKeyFault(upstream, context);
    if (fault !== undefined) return `${target.place}/upstream: ${fault}`;
  }
  return undefined;
}

/** What stands in plugins is stored as it is. */
function privateKeyFault({ tls }: UpstreamDocument, { isStored }: CheckContext): string | undefined {
  if (isStored === true || tls?.client_key === undefined || isReference(tls.client_key)) return undefined;
  return 'tls.client_key would be stored in clear text, expected tls.client_cert_id or a reference to a secret';
}

/**
 * The check of a document that has plugins and nothing else to look at.
 * @param known the plugins it may have; default those for HTTP.
 */
export function checkPluginsOf<D extends Document & { readonly plugins?: PluginsField }>(
  document: D,
  context: CheckContext,
  known: PluginsCheckOptions['known'] = (name) => context.plugins.get(name),
): DocumentCheck<D> {
  if (document.plugins === undefined) return { ok: true, document };
  const message = filterFault(document.plugins, context);
  if (message !== undefined) return { ok: false, message };
  const checked = checkPlugins(document.plugins, { known, context });
  return checked.ok ? { ok: true, document: { ...document, plugins: checked.plugins } } : checked;
}

/** What is wrong with the condition of a plugin, which its schema only knows for an array. If it is stored, it passes. */
export function filterFault(plugins: PluginsField, { isStored }: CheckContext): string | undefined {
  if (isStored === true) return undefined;
  for (const configuration of Object.values(plugins)) {
    const meta = isTable(configuration) ? configuration['_meta'] : undefined;
    const filter = isTable(meta) ? meta['filter'] : undefined;
    const fault = Array.isArray(filter) ? varsFault(filter) : undefined;
    if (fault !== undefined) return `failed to validate the 'vars' expression: ${fault}`;
  }
  return undefined;
}

/** In the words of all resources but stream routes. */
function describePluginFault(name: string, reason: string): string {
  return `failed to check the configuration of plugin ${name} err: ${reason}`;
}

/** `_meta.disable`. */
export function isDisabled(configuration: PluginsField): boolean {
  const meta = configuration['_meta'];
  return isTable(meta) && meta['disable'] === true;
}

/** An array is one too, as in the reference: `[]` stands for an empty configuration. */
function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
