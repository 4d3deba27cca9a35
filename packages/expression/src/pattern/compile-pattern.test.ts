import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compilePattern } from './compile-pattern.ts';

test.for([
  ['^([a-z0-9-]+\\.)*example\\.com$', 'db.eu-1.example.com', true],
  ['^([a-z0-9-]+\\.)*example\\.com$', 'db.example.com.', false],
  ['^10\\.\\d{1,3}\\.', '10.255.0.1', true],
  ['b|^$', '', true],
  ['\\bdb\\b', 'my-db.local', true],
  ['\\Bdb', 'my-db', false],
  ['^[^]$', '\n', true],
  ['^.$', '\n', false],
  ['a{2,3}$', 'ba', false],
  ['a{2,}b{0}c', 'aaac', true],
  ['^(?:){3}x(|y){2}$', 'xy', true],
  ['^[\\d\\]{}-]+$', '1]-{', true],
  ['a{,3}', 'a{,3}', true],
  ['\\/\\.\\-\\x41\\u0042\\cJ\\0', '/.-AB\n\0', true],
] as const)('%j in %j: %s', ([source, text, isFound]) => {
  expect(compilePattern(source, false).test(text)).toBe(isFound);
  expect(new RegExp(source).test(text)).toBe(isFound);
});

test('without regard to case as JavaScript has it', () => {
  expect(compilePattern('^straße-[À-Ý]$', true).test('STRAßE-é')).toBe(true);
});

test.for([
  ['(', 'Unterminated group'],
  ['a**', 'Nothing to repeat'],
  ['(?i)a', 'Invalid group'],
  ['a(?=b)', '/a(?=b)/: (?= is not available'],
  ['(?<!b)a', '/(?<!b)a/: (?< is not available'],
  ['(?i:a)', '/(?i:a)/: (?i is not available'],
  ['(a)\\1', '/(a)\\1/: \\1 is not available'],
  ['(?<n>a)\\k<n>', '\\k is not available'],
  ['\\Aa\\z', '\\A is not available'],
  ['\\p{L}', '\\p is not available'],
  ['\\x4', '\\x is not available'],
  ['[\\A]', '\\A is not available'],
  ['[\\B]', '\\B is not available'],
  ['[[:alpha:]]', '[[:alpha:]] is not available'],
  ['((a{10}){10}){10}b', 'it is too large'],
  ['(?:(?:){99}a){1000000000}', 'it is too large'],
  ['a'.repeat(1025), 'expected at most 1024 characters, found 1025'],
] as const)('%s is refused: %s', ([source, message]) => {
  expect(() => compilePattern(source, false)).toThrow(message);
  expect(() => compilePattern(source, false)).toThrow(SyntaxError);
});

test('groups may be as deep as a pattern is long', () => {
  const deep = `${'('.repeat(511)}a${')'.repeat(511)}`;

  expect(compilePattern(deep, false).test('a')).toBe(true);
});

test.for(['^(a+)+$', '^(a|a)*$', '^(a?){40}a{40}$', '.*.*.*.*.*x'])(
  'a text that other engines go through again and again is nothing to %s',
  (source) => {
    expect(compilePattern(source, false).test(`${'a'.repeat(20_000)}b`)).toBe(false);
  },
);

test('what was found in one text is right for the next one, also after more than can be remembered', () => {
  const [source, texts] = ['b[^a]{10}$', Array.from({ length: 3000 }, (_, index) => textOf(index * 7919))];
  const pattern = compilePattern(source, false);

  for (const text of [...texts, ...texts]) expect(pattern.test(text)).toBe(new RegExp(source).test(text));
});

/** Of a, b and c, as if by chance. */
function textOf(seed: number): string {
  return (seed * 2_654_435_761).toString(3).replaceAll(/[012]/g, (digit) => 'abc'.charAt(Number(digit)));
}

const unit = fc.constantFrom('a', 'b', 'B', '-', '1', '\n', 'é', 'É');
const one = fc.oneof(
  unit,
  fc.constantFrom(
    '.',
    '\\w',
    '\\W',
    '\\d',
    '\\s',
    '[ab]',
    '[^a-z]',
    '[\\d-]',
    '[]',
    '[^]',
    '^',
    '$',
    '\\b',
    '\\B',
  ),
);
const { pattern } = fc.letrec<{ pattern: string; part: string }>((tie) => ({
  pattern: fc
    .array(fc.array(tie('part'), { maxLength: 3 }), { minLength: 1, maxLength: 3 })
    .map((choices) => choices.map((parts) => parts.join('')).join('|')),
  part: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    one,
    fc
      .tuple(tie('pattern'), fc.constantFrom('', '*', '+', '?', '*?', '{0}', '{2}', '{1,2}', '{2,}'))
      .map(([inner, times]) => `(?:${inner})${times}`),
  ),
}));

test('finds what JavaScript finds', () => {
  fc.assert(
    fc.property(
      pattern,
      fc.array(fc.array(unit, { maxLength: 6 }).map((units) => units.join(''))),
      fc.boolean(),
      (source, texts, isCaseless) => {
        // Not one that is too large.
        fc.pre(source.length < 100 && source.split('{').length < 3);
        const engine = new RegExp(source, isCaseless ? 'i' : '');
        const compiled = compilePattern(source, isCaseless);

        expect(texts.map((text) => compiled.test(text))).toEqual(texts.map((text) => engine.test(text)));
      },
    ),
    { numRuns: 1000 },
  );
});
