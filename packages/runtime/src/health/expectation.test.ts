import { splitAtEach } from '@apisix-ts/testkit';
import { expect, test } from 'vitest';
import { AnswerReader, compileExpectation } from './expectation.ts';

/** The first verdict, or undefined when all of the answer leaves it open. */
function read(written: Parameters<typeof compileExpectation>[0], ...chunks: readonly Uint8Array[]) {
  const reader = new AnswerReader(compileExpectation(written));
  for (const chunk of chunks) {
    const verdict = reader.add(chunk);
    if (verdict !== undefined) return verdict;
  }
  return undefined;
}

const anywhere = { text: 'aab', match: 'anywhere' } as const;

test.for([
  ['begins with the text', '+PONG', '+PONG\r\n', true],
  ['is just the text', { text: '+PONG' }, '+PONG', true],
  ['begins otherwise', '+PONG', '-NOAUTH Authentication required.\r\n', false],
  ['has the text, but later', '+PONG', '\r\n+PONG', false],
  ['ends within the text', '+PONG', '+PO', undefined],
  ['begins with the bytes', { hex: '2b 50' }, '+P', true],
  ['has the text somewhere', anywhere, 'xaaabx', true],
  ['has it nowhere', anywhere, 'xaaxaacx', undefined],
] as const)('an answer that %s, however it is cut', ([, written, answer, verdict]) => {
  for (const pieces of splitAtEach(Buffer.from(answer))) expect(read(written, ...pieces)).toBe(verdict);
});

test('looks at the first 16 KiB of an answer only', () => {
  const filler = Buffer.alloc(16_384 - 3, 'x');

  expect(read(anywhere, filler, Buffer.from('aab'))).toBe(true);
  expect(read(anywhere, filler, Buffer.from('xaab'))).toBe(false);
  expect(read(anywhere, Buffer.concat([filler, Buffer.from('xaab')]))).toBe(false);
});
