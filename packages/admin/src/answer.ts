import type { JsonList } from '@apisix-ts/http-server';

/** What a request is answered with. The server adds the headers that every answer has. */
export interface Answer {
  readonly status: number;
  /** Absent: an empty body. */
  readonly body?: AnswerBody;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** `json` is sent with one newline after it, `text` as it is. */
export type AnswerBody = { readonly json: unknown } | { readonly text: string } | JsonList;

export function answer(status: number, json: unknown): Answer {
  return { status, body: { json } };
}

/** The usual shape of a refusal. */
export function refuse(status: number, error_msg: string): Answer {
  return answer(status, { error_msg });
}

/** There is no such endpoint. */
export const nowhere: Answer = refuse(404, 'not found');
