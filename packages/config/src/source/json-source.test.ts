import { isGatewayError } from '@apisix-ts/errors';
import { describe, expect, test } from 'vitest';
import { readJson } from './json-source.ts';

function failure(text: string, env = {}): { readonly code: string; readonly lines: readonly string[] } {
  try {
    readJson(text, 'apisix.json', env);
  } catch (error) {
    if (isGatewayError(error)) return { code: error.code, lines: error.message.split('\n') };
    throw error;
  }
  throw new Error('it was read');
}

describe('variables', () => {
  test('are replaced after parsing, become numbers and booleans, and stay text in keys', () => {
    const text = '{"a": "${{PORT}}", "b": ["${{ON}}", "x${{PORT}}"], "${{PORT}}": "${{UNSET:=d}}"}';

    const { tree } = readJson(text, 'apisix.json', { PORT: '9100', ON: 'true' });

    expect(tree).toStrictEqual({ a: 9100, b: [true, 'x9100'], '9100': 'd' });
  });

  test('that are missing are all named, with their places', () => {
    expect(failure('{"a": "${{ONE}}",\n "b": ["${{TWO}}"]}')).toStrictEqual({
      code: 'SETTINGS_VARIABLE_MISSING',
      lines: [
        "apisix.json:1:2: failed to handle configuration: can't find environment variable ONE",
        "apisix.json:2:8: failed to handle configuration: can't find environment variable TWO",
      ],
    });
  });

  test('are remembered for the values they made', () => {
    const source = readJson('{"a": ["x", "${{HOST}}:1"]}', 'apisix.json', { HOST: 'h' });

    expect(source.variablesOf(['a', 1])).toStrictEqual(['HOST']);
    expect(source.variablesOf(['a', 0])).toStrictEqual([]);
  });
});

test('knows the places of keys and items', () => {
  const source = readJson('{\n  "a": [\n    1,\n    {"b": 2}]\n}', 'apisix.json', {});

  expect(source.locate(['a'])).toStrictEqual({ line: 2, column: 3 });
  expect(source.locate(['a', 1, 'b'])).toStrictEqual({ line: 4, column: 6 });
  expect(source.locate(['a', 1, 'absent'])).toStrictEqual({ line: 4, column: 5 });
});

test('keeps a key that is named like part of every object', () => {
  const { tree } = readJson('{"__proto__": {"a": 1}}', 'apisix.json', {});

  expect(Object.keys(tree)).toStrictEqual(['__proto__']);
});

describe('is refused with line, column and what was found', () => {
  test.for([
    ['an item without a comma', '{"a": [\n1 2]}', '2:3', 'found "2]}"'],
    ['a comma too many', '{"a": 1,\n}', '2:1', 'found "}"'],
    ['a word that is none', '{\n "a": tru}', '2:7', 'found "tru}"'],
    ['a key without quotes', '{a: 1}', '1:2', 'found "a: 1}"'],
    ['a text that ends too early', '{"a": [1,', '1:10', 'found the end of the file'],
    ['nothing', '', '1:1', 'found the end of the file'],
    ['a bad escape', '{"a": "\\q"}', '1:9', 'found "q\\"}"'],
    ['more than one value', '{"a": 1}\n{}', '2:1', 'found "{}"'],
    ['a list', '\n[1]', '2:1', 'expected a map of resources, found a list'],
    ['null', 'null', '1:1', 'expected a map of resources, found null'],
  ] as const)('%s', ([, text, place, end]) => {
    const { code, lines } = failure(text);

    expect(code).toBe('SETTINGS_SYNTAX');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toSatisfy(
      (line: string) => line.startsWith(`apisix.json:${place}: `) && line.endsWith(end),
    );
  });

  test('at whatever length it is cut off', () => {
    const text = '{"a": [1, {"b": "c\\n"}, true, null], "d": -1.5e3}';
    for (let length = 0; length < text.length; length += 1) {
      expect(failure(text.slice(0, length)).code).toBe('SETTINGS_SYNTAX');
    }
  });
});
