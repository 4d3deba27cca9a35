import { expect, test } from 'vitest';
import { testSession } from '../testing/plugin-scene.ts';
import { compileLogFormat } from './log-format.ts';

const session = testSession({
  variable: (name) => ({ remote_addr: '192.0.2.1', bytes_sent: 20, empty: '' })[name],
});

test.for([
  [{ client: '$remote_addr' }, { client: '192.0.2.1' }],
  [{ bytes: '$bytes_sent' }, { bytes: '20' }],
  [{ text: '${remote_addr}: $bytes_sent, $absent.' }, { text: '192.0.2.1: 20, .' }],
  [{ absent: '$absent', empty: '$empty' }, { empty: '' }],
  [
    { text: 'as it is', number: 1, list: ['$remote_addr'], none: null },
    { text: 'as it is', number: 1, list: ['$remote_addr'], none: null },
  ],
  [{ a: { b: { c: { d: { e: 1 }, f: '$bytes_sent' } } } }, { a: { b: { c: { d: { e: 1 }, f: '20' } } } }],
  [{ a: { b: { c: { d: { e: { f: 1 } } } } } }, { a: { b: { c: { d: {} } } } }],
  [{}, {}],
])('%j makes %j', ([format = {}, entry]) => {
  expect(JSON.parse(JSON.stringify(compileLogFormat(format)(session)))).toEqual(entry);
});
