import { isGatewayError } from '@apisix-ts/errors';
import { describe, expect, test } from 'vitest';
import { parseResourceFile } from './resource-file.ts';
import type { ResourceFile } from './resource-file.ts';

const yaml = (text: string, env = {}): ResourceFile =>
  parseResourceFile(`${text}\n#END\n`, { path: '/conf/apisix.yaml', format: 'yaml', env });
const json = (tree: unknown, env = {}): ResourceFile =>
  parseResourceFile(JSON.stringify(tree), { path: '/conf/apisix.json', format: 'json', env });

/** Code and message of the error. */
function refusal(parse: () => unknown): string {
  try {
    parse();
  } catch (error) {
    if (isGatewayError(error)) return `${error.code} ${error.message}`;
    throw error;
  }
  throw new Error('it was taken');
}

describe('the end of a YAML file', () => {
  test.for(['#END', '#END\n', '#END \n\t\n', 'x: 1 #END', '#END\r\n'])('%j is one', (end) => {
    const { items } = parseResourceFile(`routes: [{id: 1}]\n${end}`, {
      path: '/conf/apisix.yaml',
      format: 'yaml',
      env: {},
    });

    expect(items).toHaveLength(1);
  });

  test.for(['', '# END', '#END\n\n\n\n\n\n\n', '#END\nrou', '#EN'])('%j is none', (end) => {
    const parse = (): unknown =>
      parseResourceFile(`routes: [{id: 1}]\n${end}`, { path: '/conf/apisix.yaml', format: 'yaml', env: {} });

    expect(refusal(parse)).toContain(
      'SETTINGS_SYNTAX failed to parse the content of file /conf/apisix.yaml: missing valid end flag in file',
    );
  });

  test('is missing at whatever length the file is cut off', () => {
    const text = 'routes:\n  - id: 1\n    uri: /\n#END\n';
    for (let length = 0; length < text.length - 1; length += 1) {
      const parse = (): unknown =>
        parseResourceFile(text.slice(0, length), { path: '/conf/apisix.yaml', format: 'yaml', env: {} });
      expect(refusal(parse)).toContain('missing valid end flag');
    }
  });
});

describe('variables', () => {
  test('in YAML are replaced before it is read: quotes keep text, keys count, comments do too', () => {
    const file = yaml('routes:\n  - {id: "${{N}}", desc: "${{N}}", priority: ${{P}}, ${{K}}: ${{B}}}', {
      N: '123456789012345678',
      P: '7',
      K: 'enable_websocket',
      B: 'true',
    });

    expect(file.items[0]?.value).toStrictEqual({
      id: '123456789012345678',
      desc: '123456789012345678',
      priority: 7,
      enable_websocket: true,
    });
    expect(refusal(() => yaml('routes: []\n# ${{UNSET}}'))).toContain('apisix.yaml:2:3: ');
  });

  test('in YAML do not move the places of what comes after them', () => {
    const file = yaml('# ${{A}}\nroutes:\n  - {desc: "${{B}}", id: 1}', { A: 'two\n# lines', B: 'x' });

    expect(file.source.locate(['routes', 0, 'id'])).toEqual({ line: 3, column: 22 });
  });

  test('in JSON are replaced after it is read, and quotes keep nothing', () => {
    const file = json({ routes: [{ id: '${{N}}', desc: '${{N}}' }] }, { N: '7' });

    expect(file.items).toMatchObject([{ key: 'routes/7', value: { id: 7, desc: 7 } }]);
  });
});

describe('keys', () => {
  test.for([
    ['an id', 'routes', { id: 'a' }, 'routes/a', 'routes'],
    ['a whole number as id', 'routes', { id: 7 }, 'routes/7', 'routes'],
    ['a username', 'consumers', { username: 'jack' }, 'consumers/jack', 'consumers'],
    ['an id before a username', 'consumers', { id: 'x', username: 'jack' }, 'consumers/x', 'consumers'],
    ['a place in the list', 'routes', { uri: '/' }, 'routes/arr_2', 'routes'],
    ['a place, where the id is null', 'routes', { id: null }, 'routes/arr_2', 'routes'],
    ['a place, for what is no map', 'routes', 'text', 'routes/arr_2', 'routes'],
    [
      'a credential',
      'consumers',
      { id: 'jack/credentials/1' },
      'consumers/jack/credentials/1',
      'credentials',
    ],
    ['a secret', 'secrets', { id: 'vault/1' }, 'secrets/vault/1', 'secrets'],
  ] as const)('come from %s', ([, segment, value, key, kind]) => {
    const { items, problems } = json({ [segment]: [{ id: 'vault/first' }, value] });

    expect(items[1]).toMatchObject({ key, kind, path: [segment, 1] });
    expect(problems).toEqual([]);
  });

  test.for([
    ['an empty id', { id: '' }, ['routes', 0, 'id']],
    ['a truth value', { id: true }, ['routes', 0, 'id']],
    ['a map', { id: {} }, ['routes', 0, 'id']],
    ['a fraction', { id: 1.5 }, ['routes', 0, 'id']],
    ['a number that would be rounded', { id: 1e17 }, ['routes', 0, 'id']],
    ['an id that makes another kind', { id: 'a/upstreams/b' }, ['routes', 0, 'id']],
    ['a bad username', { username: [] }, ['routes', 0, 'username']],
  ] as const)('do not come from %s', ([, value, path]) => {
    const { items, problems } = json({ routes: [value, { id: 'good' }] });

    expect(items.map(({ key }) => key)).toEqual(['routes/good']);
    expect(problems).toMatchObject([{ path }]);
  });

  test.for(['vault', 'vault/a/b', 'vault/'])('do not come from a secret without its manager: %s', (id) => {
    expect(json({ secrets: [{ id }] })).toMatchObject({
      items: [],
      problems: [{ path: ['secrets', 0, 'id'] }],
    });
  });

  test('a plugin_metadata without an id is told', () => {
    expect(json({ plugin_metadata: [{ log_format: {} }] }).problems).toMatchObject([
      { text: 'plugin_metadata without an id is ignored', path: ['plugin_metadata', 0, 'id'] },
    ]);
  });
});

test('of several items with one id the last counts, and the others are told', () => {
  const { items, duplicates } = yaml('routes:\n- {id: 1, desc: a}\n- {id: 2}\n- {id: "1", desc: b}');

  expect(items.map(({ key, value }) => [key, value])).toEqual([
    ['routes/2', { id: 2 }],
    ['routes/1', { id: '1', desc: 'b' }],
  ]);
  expect(duplicates).toMatchObject([
    { text: 'routes/1 is written a second time and replaces the one in line 2', at: { line: 4, column: 3 } },
  ]);
});

test("leaves out the reference's counter of versions", () => {
  expect(json({ routes: [{ id: 1, modifiedIndex: 7 }] }).items[0]?.value).toEqual({ id: 1 });
});

describe('a kind', () => {
  test('that is no list is told, and the others are read', () => {
    const { items, problems, unreadKinds } = yaml('routes: {id: 1}\nupstreams: [{id: 1}]');

    expect(items.map(({ key }) => key)).toEqual(['upstreams/1']);
    expect(unreadKinds).toEqual(['routes']);
    expect(problems).toMatchObject([{ path: ['routes'], expected: 'a list' }]);
  });

  test.for(['routes:', 'routes: []', 'routes: {}'])('that is empty has no items: %s', (text) => {
    expect(yaml(text)).toMatchObject({ items: [], problems: [], unreadKinds: [] });
  });

  test.for([
    ['stream_route', 'did you mean stream_routes?'],
    ['Stream-Routes', 'did you mean stream_routes?'],
    ['upstream', 'did you mean upstreams?'],
    ['ssl', 'did you mean ssls?'],
    ['credentials', 'credentials stand below consumers'],
  ])('that is misspelled is warned about: %s', ([key, why]) => {
    expect(yaml(`routes: []\n${key}: []`).warnings).toEqual([
      expect.stringMatching(
        `^/conf/apisix.yaml:2:1: "${key}" is no kind of resource and is ignored; .*${why}`,
      ),
    ]);
  });

  test.for(['x-templates', 'routes_conf_version', 'defaults'])('is not seen in %s', (key) => {
    expect(yaml(`routes: []\n${key}: {a: 1}`)).toMatchObject({ items: [], warnings: [] });
  });
});

describe('the list of plugins', () => {
  test('is one item', () => {
    expect(yaml('plugins: [{name: syslog, stream: true}]').items).toMatchObject([
      { key: 'plugins', id: '', value: [{ name: 'syslog', stream: true }] },
    ]);
  });

  test.for(['plugins: {a: 1}', 'plugins: [syslog]', 'plugins: [{stream: true}]'])(
    'is refused: %s',
    (text) => {
      expect(yaml(text)).toMatchObject({ items: [], unreadKinds: ['plugins'], problems: [{}] });
    },
  );
});

describe('a file', () => {
  test.for(['', '{}', '# nothing'])('that is empty is refused: %j', (text) => {
    expect(refusal(() => yaml(text))).toContain('failed update config: empty table');
  });

  test('that is not YAML is refused with the place', () => {
    expect(refusal(() => yaml('routes: [\nupstreams: []'))).toMatch(
      /^SETTINGS_SYNTAX \/conf\/apisix\.yaml:2:1: YAML syntax error: /,
    );
  });

  test('that is a list is refused', () => {
    expect(refusal(() => yaml('- id: 1'))).toContain(
      'invalid apisix.yaml file: expected a map of resources, found a list',
    );
  });

  test.for(['yaml', 'json'] as const)('that is nested too deeply is refused, as %s', (format) => {
    const text = `{"routes": ${'['.repeat(100_000)}${']'.repeat(100_000)}}\n#END`;
    const parse = (): unknown =>
      parseResourceFile(format === 'json' ? text.replace('\n#END', '') : text, {
        path: '/conf/apisix',
        format,
        env: {},
      });

    expect(refusal(parse)).toContain('SETTINGS_SYNTAX');
  });

  test('with a key that is written twice is warned about', () => {
    expect(yaml('routes: []\nroutes: []').warnings).toEqual([
      '/conf/apisix.yaml:2:1: "routes" is written a second time and replaces the one in line 1',
    ]);
  });
});
