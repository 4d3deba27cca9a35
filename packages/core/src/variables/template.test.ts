import { expect, test } from 'vitest';
import { splitTemplate } from './template.ts';

test.for([
  ['', []],
  ['text', ['text']],
  ['$remote_addr', [{ variable: 'remote_addr' }]],
  ['${a}b$c', [{ variable: 'a' }, 'b', { variable: 'c' }]],
  ['$a:${b}.', [{ variable: 'a' }, ':', { variable: 'b' }, '.']],
  ['5 $ ${ ${} $', ['5 $ ${ ${} $']],
] as const)('%j is %j', ([template, parts]) => {
  expect(splitTemplate(template)).toEqual(parts);
});
