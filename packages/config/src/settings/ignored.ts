import { isMap, valueAt } from '../source/key-path.ts';
import type { KeyPath } from '../source/key-path.ts';
import { isLabelled } from './extra-labels.ts';

/** Raw nginx configuration, which nothing here could read. */
const snippets: readonly KeyPath[] = [
  'main',
  'http',
  'http_server',
  'http_server_location',
  'http_admin',
  'http_end',
  'stream',
].map((name) => ['nginx_config', `${name}_configuration_snippet`]);

/** Code and programs of the reference's own kind. */
const foreign: readonly KeyPath[] = [
  ['apisix', 'extra_lua_path'],
  ['apisix', 'extra_lua_cpath'],
  ['apisix', 'lua_module_hook'],
  ['ext-plugin', 'cmd'],
];

function ignoredLabels(tree: unknown): readonly KeyPath[] {
  const path = ['plugin_attr', 'prometheus', 'metrics'];
  const metrics = valueAt(tree, path);
  if (!isMap(metrics)) return [];
  const others = Object.keys(metrics).filter((name) => !isLabelled(name));
  return others.map((name) => [...path, name, 'extra_labels']);
}

/** A sentence about what the operator wrote and the gateway passes over, where that would be noticed. */
export function warnAboutIgnored(tree: unknown): readonly string[] {
  const found = (paths: readonly KeyPath[]): string =>
    paths
      .filter((path) => hasEffect(valueAt(tree, path)))
      .map((path) => path.join('.'))
      .join(', ');

  const raw = found(snippets);
  const lua = found(foreign);
  const labels = found(ignoredLabels(tree));
  return [
    ...(raw === '' ? [] : [`raw nginx configuration has no effect here and is ignored: ${raw}`]),
    ...(lua === ''
      ? []
      : [`this gateway runs no Lua code and no external plugin runner, so it ignores: ${lua}`]),
    ...(labels === ''
      ? []
      : [
          `only stream_connection_total and stream_status take other labels, so these are ignored: ${labels}`,
        ]),
  ];
}

/** Not blank, and not only nginx comments. */
function hasEffect(value: unknown): boolean {
  if (typeof value !== 'string') return value !== undefined;
  return value.split('\n').some((line) => !/^\s*(?:#|$)/.test(line));
}
