import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseYaml, writeYaml } from './plain-yaml.ts';

test('reads the dialect of config.yaml, and leaves variables alone', () => {
  expect(parseYaml('a: yes\nb: y\nc: 010\nd: 2024-01-01\ne: ${{HOME}}\n')).toEqual({
    a: true,
    b: 'y',
    c: 8,
    d: '2024-01-01',
    e: '${{HOME}}',
  });
});

test.for([
  ['an unfinished list', 'a: [1', /line 1, column 6/],
  ['two documents', 'a: 1\n---\nb: 2\n', /document/],
  ['an alias without its anchor', 'a: *b', /b/],
  [
    'aliases that multiply',
    `a: &a [x,x,x,x,x,x,x,x,x,x]\n${multiplied(['a', 'b', 'c', 'd', 'e', 'f'])}`,
    /alias/i,
  ],
  ['a number without end', 'a: .inf', /\.inf/],
] as const)('refuses %s', ([, text, message]) => {
  expect(() => parseYaml(text)).toThrow(message);
  expect(() => parseYaml(text)).toThrow(SyntaxError);
});

test('is nothing where there are only comments', () => {
  expect(parseYaml('# later\n')).toBeUndefined();
});

test.for([
  ['yes'],
  ['010'],
  ['1:30'],
  ['.5'],
  ['~'],
  ['0x1'],
  ['- a'],
  ['a: b'],
  ['-----BEGIN\nx\n'],
] as const)('writes the text %j so that it stays text', ([text]) => {
  expect(parseYaml(writeYaml({ text }))).toEqual({ text });
});

test('reads what it writes as the same', () => {
  const value = fc.jsonValue({ depthSize: 'small' }).filter((found) => found !== null);

  fc.assert(
    fc.property(fc.dictionary(fc.string(), value), (data) => {
      const plain: unknown = JSON.parse(JSON.stringify(data));
      expect(parseYaml(writeYaml(plain))).toEqual(plain);
    }),
  );
});

function multiplied(names: readonly string[]): string {
  return names
    .slice(1)
    .map((name, index) => `${name}: &${name} [${`*${names[index]},`.repeat(10).slice(0, -1)}]\n`)
    .join('');
}
