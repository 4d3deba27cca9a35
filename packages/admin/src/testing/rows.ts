import type { OutgoingHttpHeaders } from 'node:http';
import { describe, expect, test } from 'vitest';
import { openAdmin, testNow } from './open-admin.ts';
import type { AdminOverrides } from './open-admin.ts';

/** One request and its answer. */
export interface Row {
  /** What it shows. */
  readonly claim: string;
  /** What the store holds before, by key. */
  readonly given?: Readonly<Record<string, unknown>>;
  /** Method and path, below `/apisix/admin` unless it is complete. */
  readonly request: string;
  /** Sent as JSON. */
  readonly send?: unknown;
  /** Sent as it is. */
  readonly sendText?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly status: number;
  /** The answer's JSON, exactly; undefined for an empty body. */
  readonly body?: unknown;
  /** The answer as text, where it is not JSON. */
  readonly text?: string;
  /** Names in lower case; undefined for a header that is not there. */
  readonly answerHeaders?: Readonly<Record<string, unknown>>;
  /** What the store holds afterwards, by key; undefined for nothing. */
  readonly stored?: Readonly<Record<string, unknown>>;
}

/** Each row is a test against a server of its own. */
export function testRows(title: string, rows: readonly Row[], options: AdminOverrides = {}): void {
  describe(title, () => {
    test.for(rows)('$request: $claim', async (row) => {
      await using admin = await openAdmin(options);
      for (const [key, document] of Object.entries(row.given ?? {})) {
        await admin.store.writer.put(key, typeof document === 'string' ? document : JSON.stringify(document));
      }
      const [method = '', target = ''] = row.request.split(' ');
      const sent = row.sendText ?? (row.send === undefined ? undefined : JSON.stringify(row.send));

      const reply = await admin.send(method, target, sent, row.headers);

      expect({ status: reply.status, ...readBody(reply.text, row) }).toEqual({
        status: row.status,
        ...(row.text === undefined ? { body: row.body } : { text: row.text }),
      });
      for (const [name, value] of Object.entries(row.answerHeaders ?? {})) {
        expect({ [name]: reply.headers[name] }).toEqual({ [name]: value });
      }
      for (const [key, document] of Object.entries(row.stored ?? {})) {
        const entry = await admin.store.writer.get(key);
        expect(entry && JSON.parse(entry.value)).toEqual(document);
      }
    });
  });
}

function readBody(text: string, row: Row): { text: string } | { body: unknown } {
  if (row.text !== undefined) return { text };
  if (text === '') return { body: undefined };
  expect(text).toMatch(/[^\n]\n$/);
  return { body: JSON.parse(text) };
}

/** The usual shape of a refusal. */
export function says(error_msg: string): { error_msg: string } {
  return { error_msg };
}

/** A document as it is stored at the time of the tests. */
export function stamped(document: object, id: unknown, createTime = testNow): object {
  return { ...document, id, create_time: createTime, update_time: testNow };
}
