import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { resourceKinds, upstreamKind } from '../../packages/config/src/resources/index.ts';
import type { ResourceKind } from '../../packages/config/src/resources/index.ts';
import { defaults } from '../../packages/config/src/settings/defaults.ts';
import { deploymentSchemas, roleSchema } from '../../packages/config/src/settings/schema-deployment.ts';
import { discoverySchemas } from '../../packages/config/src/settings/schema-discovery.ts';
import { mainSchema } from '../../packages/config/src/settings/schema-main.ts';
import { isJsonObject } from '../../packages/config/src/validate/json-schema.ts';
import type { JsonSchema } from '../../packages/config/src/validate/json-schema.ts';
import { fieldRows, membersOf } from './fields.ts';
import type { FieldRow, Sections } from './fields.ts';

const root = join(import.meta.dirname, '..', '..');
const origin = 'This page is written by `pnpm docs:generate` from the schemas that the gateway checks with.';

/** The pages that are made from schemas, by path. */
export function referencePages(): ReadonlyMap<string, string> {
  return new Map([
    ['docs/reference/resources.md', resourcesPage()],
    ['docs/reference/settings.md', settingsPage()],
  ]);
}

/** @returns the pages that are not what the schemas say. */
export function outdatedPages(): readonly string[] {
  return [...referencePages()].flatMap(([path, text]) => {
    const file = join(root, path);
    return existsSync(file) && readFileSync(file, 'utf8') === text ? [] : [path];
  });
}

function resourcesPage(): string {
  const sections: Sections = new Map([[upstreamKind.schema, '[upstream](#upstream)']]);
  return `# Reference: fields of resources

${origin} It has what may be written, to look
it up; what the fields mean, and what goes together, is on the page that each section links to.

${resourceKinds.map((kind) => resourceSection(kind, sections)).join('\n')}`;
}

function resourceSection(kind: ResourceKind, sections: Sections): string {
  const page = `config/${kind.name.replaceAll('_', '-')}.md`;
  const rows = fieldRows(kind.schema, sections);
  const others = kind.schema['additionalProperties'] === false ? 'refused' : 'kept';
  const fields = `Other fields are ${others}.\n\n${table(rows)}`;
  return `## ${kind.name}

\`/apisix/admin/${kind.segment}\`: [what it is](../${page}). ${rows.length === 0 ? 'Its fields are there.\n' : fields}`;
}

function settingsPage(): string {
  const { apisix, nginx_config: nginx, plugin_attr: plugins } = membersOf(mainSchema);
  const { traditional, control_plane: controlPlane, data_plane: dataPlane } = deploymentSchemas;
  const properties = Object.assign({}, ...[roleSchema, traditional, controlPlane, dataPlane].map(membersOf));
  return `# Reference: keys of config.yaml

${origin} It has what may be written, to look
it up; what the keys mean is in [settings](../config/settings.md), with those of [entries of
\`stream_proxy.tcp\`](../config/settings.md#entries-of-stream_proxytcp) that are ours. Some values are refused later, with a
message of their own. Other keys are accepted and kept.

${settingsSection('apisix', apisix)}
${settingsSection('deployment', { properties })}
${settingsSection('nginx_config', nginx)}
${settingsSection('plugin_attr', plugins)}
${settingsSection('discovery', { properties: discoverySchemas })}`;
}

function settingsSection(name: string, schema: JsonSchema = {}): string {
  const rows = fieldRows(schema, new Map()).map((row) => {
    const byDefault = defaultOf([name, ...row.field.split('.')]);
    return { ...row, byDefault, isRequired: row.isRequired && byDefault === undefined };
  });
  return `## ${name}

${table(rows)}`;
}

/** What is merged under config.yaml, as JSON. Long texts are in the page that says what they mean. */
function defaultOf(path: readonly string[]): string | undefined {
  let value: unknown = defaults;
  for (const key of path) value = isJsonObject(value) ? value[key] : undefined;
  const json = value === undefined ? undefined : JSON.stringify(value);
  return json === undefined || json.length <= 120 ? json : '…';
}

function table(rows: readonly FieldRow[]): string {
  const lines = rows.map((row) => {
    const cells = [`\`${row.field}\``, row.value, lastCell(row)];
    return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
  });
  return `| field | value | default |\n| --- | --- | --- |\n${lines.join('\n')}\n`;
}

function lastCell({ isRequired, byDefault }: FieldRow): string {
  if (isRequired) return 'required';
  return byDefault === undefined ? '–' : `\`${byDefault}\``;
}
