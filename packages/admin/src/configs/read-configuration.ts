import { parseYaml } from '@apisix-ts/config';
import type { Document } from '@apisix-ts/config';
import { refuse } from '../answer.ts';
import type { Answer } from '../answer.ts';
import { parseBody } from '../json-body.ts';
import { isObject } from '../patch.ts';
import type { AdminRequest } from '../request.ts';

export type SentConfiguration = { readonly configuration: Document } | { readonly refusal: Answer };

/** The content type of YAML, in requests and answers. */
export const yamlType = 'application/yaml';

/** Reads a whole configuration: YAML if the content type says so, else JSON. */
export async function readConfiguration(request: AdminRequest): Promise<SentConfiguration> {
  const raw = await request.readBody();
  if ('tooLarge' in raw) return refused(raw.tooLarge);
  if (raw.bytes.length === 0) return refused('empty request body');
  const isYaml = request.header('content-type')?.startsWith(yamlType) === true;
  const { parse, wrongWords, expected } = isYaml ? yaml : json;
  const parsed = parseBody(raw.bytes, parse);
  if ('wrong' in parsed) return refused(wrongWords + parsed.wrong);
  return isObject(parsed.value) ? { configuration: parsed.value } : refused(wrongWords + expected);
}

const json = { parse: JSON.parse, wrongWords: '', expected: 'a JSON object was expected' };
const yaml = { parse: parseYaml, wrongWords: 'invalid yaml request body: ', expected: 'a map was expected' };

function refused(why: string): SentConfiguration {
  return { refusal: refuse(400, `invalid request body: ${why}`) };
}
