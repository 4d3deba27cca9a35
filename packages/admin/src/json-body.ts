import { isUtf8 } from 'node:buffer';
import { compileSchema } from '@apisix-ts/config';
import { answer, refuse } from './answer.ts';
import type { Answer } from './answer.ts';
import type { AdminRequest } from './request.ts';

/** `value` is undefined when there is no body. */
export type JsonBody = { readonly value: unknown } | { readonly refusal: Answer };

/** The largest body that is read, in bytes. */
export const bodyLimitBytes = 1_572_864;

/** What every check asks first: deeper nesting than APISIX reads would exhaust the stack. */
const checkDepth = compileSchema({});

/** Reads the body as JSON, whatever its content type says. */
export async function readJson(request: AdminRequest): Promise<JsonBody> {
  const raw = await request.readBody();
  if ('tooLarge' in raw) return { refusal: refuse(400, `invalid request body: ${raw.tooLarge}`) };
  if (raw.bytes.length === 0) return { value: undefined };
  const text = raw.bytes.toString('utf8');
  try {
    if (!isUtf8(raw.bytes)) throw new SyntaxError('not encoded as UTF-8');
    const checked = checkDepth(JSON.parse(text));
    if (!checked.ok) throw new SyntaxError(checked.message);
    return { value: checked.value };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { refusal: answer(400, { error_msg: `invalid request body: ${message}`, req_body: text }) };
  }
}
