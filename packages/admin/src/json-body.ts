import { isUtf8 } from 'node:buffer';
import { depthFault } from '@apisix-ts/config';
import { answer, refuse } from './answer.ts';
import type { Answer } from './answer.ts';
import type { AdminRequest } from './request.ts';

/** `value` is undefined when there is no body. */
export type JsonBody = { readonly value: unknown } | { readonly refusal: Answer };

/** The largest body that is read, in bytes. */
export const bodyLimitBytes = 1_572_864;

/** Reads the body as JSON, whatever its content type says. */
export async function readJson(request: AdminRequest): Promise<JsonBody> {
  const raw = await request.readBody();
  if ('tooLarge' in raw) return { refusal: refuse(400, `invalid request body: ${raw.tooLarge}`) };
  if (raw.bytes.length === 0) return { value: undefined };
  const parsed = parseBody(raw.bytes, JSON.parse);
  if ('value' in parsed) return parsed;
  const error_msg = `invalid request body: ${parsed.wrong}`;
  return { refusal: answer(400, { error_msg, req_body: raw.bytes.toString('utf8') }) };
}

/** @param parse throws an error that says what is wrong with the text. */
export function parseBody(
  bytes: Buffer,
  parse: (text: string) => unknown,
): { readonly value: unknown } | { readonly wrong: string } {
  if (!isUtf8(bytes)) return { wrong: 'not encoded as UTF-8' };
  try {
    const value = parse(bytes.toString('utf8'));
    const wrong = depthFault(value);
    return wrong === undefined ? { value } : { wrong };
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) };
  }
}
