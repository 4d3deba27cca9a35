import { isGatewayError } from '@apisix-ts/errors';
import { describe, expect, test } from 'vitest';
import { readYaml } from './yaml-source.ts';

const read = (text: string, env = {}) => readYaml(text, 'config.yaml', env);

/** The error of a file that cannot be read. */
function failure(text: string, env = {}): { readonly code: string; readonly lines: readonly string[] } {
  try {
    read(text, env);
  } catch (error) {
    if (isGatewayError(error)) return { code: error.code, lines: error.message.split('\n') };
    throw error;
  }
  throw new Error('it was read');
}

describe('a plain scalar', () => {
  test.for([
    ['yes', true],
    ['Yes', true],
    ['YES', true],
    ['on', true],
    ['True', true],
    ['no', false],
    ['Off', false],
    ['OFF', false],
    ['false', false],
    ['y', 'y'],
    ['n', 'n'],
    ['"on"', 'on'],
    ['~', null],
    ['null', null],
    ['Null', null],
    ['NULL', null],
    ['', null],
    ['9100', 9100],
    ['-7', -7],
    ['010', 8],
    ['-010', -8],
    ['08', 8],
    ['0x1F', 31],
    ['0b101', 5],
    ['1_000', 1000],
    ['1:2', 62],
    ['190:20:30', 685_230],
    ['-1:30', -90],
    ['1:2.5', 62.5],
    ['127.0.0.1:80', '127.0.0.1:80'],
    ['1e3', 1000],
    ['1.5e-3', 0.0015],
    ['.5', 0.5],
    ['.inf', Infinity],
    ['-.inf', -Infinity],
    ['.nan', Number.NaN],
    ['.', '.'],
    ['e1', 'e1'],
    ['2001-12-14', '2001-12-14'],
    ['9100-9105', '9100-9105'],
  ] as const)('%s is %o', ([text, expected]) => {
    expect(read(`a: ${text}`).tree['a']).toStrictEqual(expected);
  });
});

test('reads merge keys, anchors and text over several lines', () => {
  const { tree } = read('base: &base {a: 1, b: 1}\nmore:\n  <<: *base\n  b: 2\ntext: |\n  x\n  y\n');

  expect(tree).toStrictEqual({ base: { a: 1, b: 1 }, more: { a: 1, b: 2 }, text: 'x\ny\n' });
});

test.for(['', '\n\n', '# nothing\n'])('takes a blank file for an empty map: %j', (text) => {
  expect(read(text).tree).toStrictEqual({});
});

describe('variables', () => {
  test('are replaced in values, quoted or not, and in lists', () => {
    const { tree } = read('a: "${{PORT}}"\nb: [x, "${{ON}}"]\n', { PORT: '9100', ON: 'true' });

    expect(tree).toStrictEqual({ a: 9100, b: ['x', true] });
  });

  test('are replaced in keys, which stay text', () => {
    expect(read('"${{KEY}}": 1\n', { KEY: '17' }).tree).toStrictEqual({ '17': 1 });
  });

  test('that are missing are all named, with their places', () => {
    expect(failure('a: ${{ONE}}\nb:\n  - x ${{TWO}}\n')).toStrictEqual({
      code: 'SETTINGS_VARIABLE_MISSING',
      lines: [
        "config.yaml:1:4: failed to handle configuration: can't find environment variable ONE",
        "config.yaml:3:5: failed to handle configuration: can't find environment variable TWO",
      ],
    });
  });

  test('are remembered for the values they made', () => {
    const source = read('a: &x "${{HOST}}:1"\nb: [*x, y]\n', { HOST: 'h' });

    expect(source.variablesOf(['a'])).toStrictEqual(['HOST']);
    expect(source.variablesOf(['b', 0])).toStrictEqual(['HOST']);
    expect(source.variablesOf(['b', 1])).toStrictEqual([]);
  });
});

describe('places', () => {
  const source = read(
    `
base: &base
  ip: 1.2.3.4
"\${{KEY}}":
  <<: *base
  list:
    - one
    - {deep: 2}
`,
    { KEY: 'made' },
  );

  test.for([
    [['base'], 2, 1],
    [['base', 'ip'], 3, 3],
    [['made'], 4, 1],
    [['made', 'ip'], 3, 3],
    [['made', 'list', 0], 7, 7],
    [['made', 'list', 1, 'deep'], 8, 8],
    [['made', 'list', 5], 6, 3],
    [['made', 'absent', 'deeper'], 4, 1],
  ] as const)('%j is at line %d, column %d', ([path, line, column]) => {
    expect(source.locate(path)).toStrictEqual({ line, column });
  });

  test('are unknown for what is not in the file', () => {
    expect(source.locate(['absent'])).toBeUndefined();
  });
});

describe('is refused with line, column and what was found', () => {
  test.for([
    ['a list that does not end', 'a: [1\nb: 2\n', 'config.yaml:2:1: YAML syntax error: ', 'found "b: 2"'],
    ['a tab as indentation', 'a:\n\tb: 1\n', 'config.yaml:2:1: YAML syntax error: ', 'found "b: 1"'],
    [
      'a quote that does not end',
      'a: "x\n',
      'config.yaml:2:1: YAML syntax error: ',
      'found the end of the line',
    ],
    ['a second document', 'a: 1\n---\nb: 1\n', 'config.yaml:2:1: YAML syntax error: ', 'found "---"'],
    ['an alias without anchor', 'a: *x\n', 'config.yaml:1:4: YAML syntax error: ', 'no &x before *x'],
    [
      'an alias inside its anchor',
      'a: &x\n  - *x\n',
      'config.yaml:2:5: YAML syntax error: ',
      '*x contains itself',
    ],
    ['a list as key', '? [a]\n: 1\n', 'config.yaml:1:3: YAML syntax error: ', 'found a map or list'],
    ['a word', 'abc', 'config.yaml:1:1: invalid config.yaml file: ', 'found abc'],
    ['null', 'null', 'config.yaml:1:1: invalid config.yaml file: ', 'found null'],
    ['a list', '# x\n- 1\n', 'config.yaml:2:1: invalid config.yaml file: ', 'found a list'],
  ] as const)('%s', ([, text, start, end]) => {
    const { code, lines } = failure(text);

    expect(code).toBe('SETTINGS_SYNTAX');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toSatisfy((line: string) => line.startsWith(start) && line.endsWith(end));
  });

  test('an alias that multiplies', () => {
    const rows = Array.from({ length: 8 }, (_, n) => `a${n + 1}: &a${n + 1} [${`*a${n},`.repeat(9)}]\n`);

    expect(failure(`a0: &a0 [1]\n${rows.join('')}`).code).toBe('SETTINGS_SYNTAX');
  });

  test('everything the parser finds, in one message', () => {
    expect(failure('a: {b: c: d}\n e\n').lines.length).toBeGreaterThan(1);
  });
});

test('warns about a key that is written twice, and takes the last', () => {
  const { tree, warnings } = read('a: 1\nb: 2\na: 3\n');

  expect(tree).toStrictEqual({ a: 3, b: 2 });
  expect(warnings).toStrictEqual([
    'config.yaml:3:1: "a" is written a second time and replaces the one in line 1',
  ]);
});

test('keeps a key that is named like part of every object', () => {
  expect(Object.keys(read('__proto__: {a: 1}\nconstructor: 2\n').tree)).toStrictEqual([
    '__proto__',
    'constructor',
  ]);
});
