import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { bodyToSend } from './answer-body.ts';

const listOf = (length: number): readonly unknown[] =>
  Array.from({ length }, (_, id) => ({ id, desc: 'ü'.repeat(200) }));

test.for([0, 1, 100, 101, 5000])(
  'a list of %i items is the JSON that it would be in one piece',
  async (length) => {
    const items = listOf(length);

    const { payload, bytesMade } = bodyToSend({ before: '{"list":[', items, after: ']}' });
    const sent = payload instanceof Readable ? await text(payload) : payload.toString();

    expect(sent).toBe(`${JSON.stringify({ list: items })}\n`);
    expect(bytesMade()).toBe(Buffer.byteLength(sent));
  },
);

test('other work gets its turn while a long list is serialised', async () => {
  const { payload } = bodyToSend({ before: '[', items: listOf(50_000), after: ']' });
  let turns = 0;
  let isDone = false;
  const count = (): void => {
    turns += 1;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);

  for await (const _ of payload);
  isDone = true;

  expect(turns).toBeGreaterThan(2);
});
