import { idText, resourceKinds } from '../resources/index.ts';
import { placeOfKey } from '../snapshot/key-place.ts';
import { isMap } from '../source/key-path.ts';
import type { StoreEntry } from '../store/store.ts';
import { yamlText } from './yaml-text.ts';

export interface WrittenResources {
  readonly text: string;
  /** How many resources are in it. */
  readonly count: number;
  /** Entries that are no resources, or cannot be read as one, with the reason. */
  readonly leftOut: readonly LeftOut[];
  /** Keys of those whose text JSON cannot keep from being taken for a variable, `${{NAME}}`. */
  readonly withVariables: readonly string[];
  /** Keys of those with a time-to-live, which a file does not have. */
  readonly expiring: readonly string[];
}

export interface LeftOut {
  readonly key: string;
  /** A sentence without its subject: `is no kind of resource`. */
  readonly why: string;
}

/** What APISIX keeps beside its resources: a counter, and the state of gateways that run. */
const passedOver = /^gen_id$|^data_plane\/|^[^/]+\/$/;

/**
 * Writes all resources of a store as `apisix.yaml` or `apisix.json` has them: a list for each kind, what is named
 * before what names it, each list in the order of the ids; credentials stand among the consumers. Members are in
 * alphabetical order after the id, so that equal stores give equal texts.
 * @param entries in ascending order of the keys' bytes.
 */
export function writeResources(entries: readonly StoreEntry[], format: 'yaml' | 'json'): WrittenResources {
  const lists = new Map<string, unknown[]>(sections.map((section) => [section, []]));
  const leftOut: LeftOut[] = [];
  const expiring: string[] = [];
  const withVariables: string[] = [];
  let count = 0;
  for (const { key, value, expires } of entries) {
    if (passedOver.test(key)) continue;
    const item = toItem(key, value);
    if ('why' in item) {
      leftOut.push({ key, why: item.why });
      continue;
    }
    count += 1;
    if (expires === true) expiring.push(key);
    if (format === 'json' && value.includes('${{')) withVariables.push(key);
    if ('list' in item) lists.set('plugins', item.list);
    else lists.get(item.section)?.push(item.document);
  }
  const filled = [...lists].filter(([, list]) => list.length > 0);
  // A file without any key is taken for one that somebody emptied.
  const tree = Object.fromEntries(filled.length > 0 ? filled : [['stream_routes', []]]);
  const text =
    format === 'json' ? `${JSON.stringify(tree, undefined, 2)}\n` : `${head}${yamlText(tree)}#END\n`;
  return { text, count, leftOut, withVariables, expiring };
}

const sections: readonly string[] = [
  ...resourceKinds.map(({ segment }) => segment).filter((segment) => segment !== 'credentials'),
  'plugins',
];

const head = `# All resources, as "apisix export" writes and "apisix import" reads them; also a conf/apisix.yaml.
# Private keys are as they were stored: encrypted with the first key of apisix.data_encryption.keyring, if there is one.
`;

type Item =
  | { readonly section: string; readonly document: object }
  | { readonly list: unknown[] }
  | { readonly why: string };

function toItem(key: string, text: string): Item {
  const { kind, id } = placeOfKey(key);
  const section = kind === 'credentials' ? 'consumers' : kind;
  if (!sections.includes(section)) return { why: 'is no kind of resource' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { why: 'is not JSON' };
  }
  if (section === 'plugins') {
    return Array.isArray(value) ? { list: value.map(ordered) } : { why: 'is not a list' };
  }
  if (!isMap(value)) return { why: 'is not a JSON object' };
  return { section, document: identified(kind, id, value) };
}

/** With the id that leads back to the key, first. */
function identified(kind: string, id: string, value: Readonly<Record<string, unknown>>): object {
  const { id: stored, ...rest } = value;
  const document = ordered(rest);
  if (kind === 'consumers' && stored === undefined && value['username'] === id) {
    const { username, ...others } = Object(document);
    return { username, ...others };
  }
  // A number stays one.
  return { id: stored !== undefined && idText(stored) === id ? stored : id, ...Object(document) };
}

/** The same value, the members of its maps in alphabetical order. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, ordered(member)]),
  );
}
