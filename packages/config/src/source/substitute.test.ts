import { describe, expect, test } from 'vitest';
import { substitute, substituteText } from './substitute.ts';

const env = {
  NAME: 'world',
  PORT: '9100',
  HEX: '0x10',
  EXPONENT: '1e3',
  PADDED: ' 7 ',
  ZEROS: '007',
  YES: 'yes',
  TRUE: 'true',
  FALSE: 'false',
  CAPITAL: 'True',
  EMPTY: '',
  MIXED: '9100a',
};

test.for([
  ['no variable is left as it is', '9100', '9100'],
  ['a variable gives its value', '${{NAME}}', 'world'],
  ['blanks inside the braces do not matter', '${{ NAME }}', 'world'],
  ['text around is kept', 'hello ${{NAME}}!', 'hello world!'],
  ['several are joined', '${{NAME}}-${{PORT}}', 'world-9100'],
  ['digits become a number', '${{PORT}}', 9100],
  ['digits that are joined become a number', '${{PORT}}${{PORT}}', 91_009_100],
  ['hexadecimal becomes a number', '${{HEX}}', 16],
  ['an exponent becomes a number', '${{EXPONENT}}', 1000],
  ['blanks around digits do not matter', '${{PADDED}}', 7],
  ['leading zeros are decimal', '${{ZEROS}}', 7],
  ['true becomes a boolean', '${{TRUE}}', true],
  ['false becomes a boolean', '${{FALSE}}', false],
  ['only these two words are booleans', '${{YES}}', 'yes'],
  ['True stays text', '${{CAPITAL}}', 'True'],
  ['digits with a letter stay text', '${{MIXED}}', '9100a'],
  ['a variable that is set but empty counts', '${{EMPTY:=x}}', ''],
  ['a set variable beats the default', '${{NAME:=x}}', 'world'],
  ['an unset one takes the default', '${{UNSET:=x}}', 'x'],
  ['a default may be empty', '${{UNSET:=}}', ''],
  ['a default is trimmed', '${{UNSET:= x }}', 'x'],
  ['a default may hold a URL', '${{UNSET:=http://a-b.c:80/d?e=f}}', 'http://a-b.c:80/d?e=f'],
  ['a default may become a number', '${{UNSET:=9100}}', 9100],
  ['a blank before := belongs to the name, so the default is taken', '${{ NAME := x }}', 'x'],
  ['a single brace is text', '${NAME}', '${NAME}'],
] as const)('%s: %s', ([, text, expected]) => {
  expect(substitute(text, env)).toMatchObject({ value: expected, missing: [] });
});

test('names what is unset and has no default', () => {
  const result = substitute('${{NAME}}:${{UNSET}}:${{OTHER}}', env);

  expect(result).toMatchObject({ variables: ['NAME', 'UNSET', 'OTHER'], missing: ['UNSET', 'OTHER'] });
});

describe('in a whole text', () => {
  test('variables are replaced as text, in comments too', () => {
    const { text } = substituteText('a: ${{PORT}}\n"${{NAME}}": "${{PORT}}" # ${{UNSET:=x}}\n', env);

    expect(text).toBe('a: 9100\n"world": "9100" # x\n');
  });

  test('what is missing is told with its place and stays', () => {
    const { text, missing } = substituteText('${{NAME}} ${{ UNSET }}', env);

    expect([text, missing]).toEqual(['world ${{ UNSET }}', [{ name: 'UNSET', offset: 10 }]]);
  });

  test('a reference ends in its line', () => {
    expect(substituteText('${{NAME\n}} ${{NAME', env).text).toBe('world ${{NAME');
    expect(substituteText('${{UNSET:=a\nb}}', env)).toMatchObject({ text: '${{UNSET:=a\nb}}', missing: [] });
  });

  test.for([
    ['before the first', 0, 0],
    ['within a value', 4, 2],
    ['between two', 7, 11],
    ['within the second', 9, 12],
    ['after the last', 12, 21],
  ] as const)('a place %s is traced back', ([, place, origin]) => {
    const { text, originOf } = substituteText('a ${{NAME}}-${{PORT}}z', env);

    expect(text).toBe('a world-9100z');
    expect(originOf(place)).toBe(origin);
  });
});
