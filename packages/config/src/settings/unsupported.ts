import { valueAt } from '../source/key-path.ts';
import type { KeyPath } from '../source/key-path.ts';
import type { Problem } from '../source/problem.ts';
import { roleOf } from './deployment.ts';

/** A setting that is valid in the reference and that this gateway cannot do yet. A change that can removes its row. */
interface Unsupported {
  /** `*` stands for each item of a list. */
  readonly path: KeyPath;
  readonly applies: (value: unknown) => boolean;
  readonly text: string;
  /** The path counts with such settings only; otherwise nothing reads it. Default: always. */
  readonly when?: (tree: unknown) => boolean;
}

const isSet = (value: unknown): boolean => value !== undefined;
const isUnixPath = (value: unknown): boolean => typeof value === 'string' && value.startsWith('unix:');
const isDataPlane = (tree: unknown): boolean => roleOf(tree) === 'data_plane';
const tcp = ['apisix', 'stream_proxy', 'tcp', '*'];

const isStreamMode = (tree: unknown): boolean => {
  const mode = valueAt(tree, ['apisix', 'proxy_mode']);
  return mode === 'stream' || mode === 'http&stream';
};

const rows: readonly Unsupported[] = [
  {
    path: ['deployment', 'role'],
    applies: (role) => role === 'standalone',
    text: 'there is no role standalone; use traditional or data_plane with config_provider yaml',
  },
  {
    path: ['deployment', 'role_data_plane', 'config_provider'],
    applies: (name) => name === 'xds',
    when: isDataPlane,
    text: 'this gateway has no xds provider; use etcd, yaml or json',
  },
  {
    path: tcp,
    applies: isUnixPath,
    text: 'this gateway cannot listen on a unix socket yet',
    when: isStreamMode,
  },
  {
    path: [...tcp, 'addr'],
    applies: isUnixPath,
    text: 'this gateway cannot listen on a unix socket yet',
    when: isStreamMode,
  },
  {
    path: ['apisix', 'stream_proxy', 'udp', '*'],
    applies: isUnixPath,
    text: 'this gateway cannot listen on a unix socket yet',
    when: isStreamMode,
  },
  ...['listen_http_port', 'listen_https_port'].map((name): Unsupported => ({
    path: ['apisix', 'proxy_protocol', name],
    applies: isSet,
    text: 'this gateway cannot speak the PROXY protocol on HTTP listeners yet',
  })),
];

/** @param tree settings that passed the schema. */
export function findUnsupported(tree: unknown): readonly Problem[] {
  const problems: Problem[] = [];
  for (const { path, applies, text, when } of rows) {
    if (when?.(tree) === false) continue;
    for (const place of expand(tree, path)) {
      if (applies(valueAt(tree, place))) problems.push({ code: 'SETTINGS_UNSUPPORTED', text, path: place });
    }
  }
  return problems;
}

/** The paths that `*` stands for. */
function expand(tree: unknown, path: KeyPath): readonly KeyPath[] {
  const star = path.indexOf('*');
  if (star < 0) return [path];
  const list = valueAt(tree, path.slice(0, star));
  return Array.isArray(list) ? list.map((_, index) => path.with(star, index)) : [];
}
