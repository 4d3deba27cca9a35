/** Keys and, inside lists, positions from 0, from the top of the settings to one value. */
export type KeyPath = readonly (string | number)[];

/** `apisix.stream_proxy.tcp[2]`: positions count from 1, as they do in APISIX's "failed to validate item 2". */
export function showPath(path: KeyPath): string {
  let shown = '';
  for (const step of path) {
    if (typeof step === 'number') shown += `[${step + 1}]`;
    else shown += shown === '' ? step : `.${step}`;
  }
  return shown;
}

/** What stands at a path in plain data, or undefined. */
export function valueAt(tree: unknown, path: KeyPath): unknown {
  let value = tree;
  for (const step of path) {
    if (Array.isArray(value)) value = typeof step === 'number' ? value[step] : undefined;
    else value = isMap(value) && Object.hasOwn(value, step) ? value[step] : undefined;
  }
  return value;
}

/** A map of the settings: an object that is no list. */
export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
