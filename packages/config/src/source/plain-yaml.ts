import { parseDocument, stringify } from 'yaml';
import type { DocumentOptions, ParseOptions, SchemaOptions } from 'yaml';
import { withDialect } from './yaml-dialect.ts';

const dialect: DocumentOptions & ParseOptions & SchemaOptions = {
  version: '1.1',
  customTags: withDialect,
  uniqueKeys: false,
};

/**
 * Reads YAML that came over the network, in the dialect of config.yaml and without variables: nobody there may read
 * our environment. Of equal keys the last one counts.
 * @returns JSON values; undefined for nothing but comments.
 * @throws SyntaxError with the place, from line 1 and column 1, where there is one.
 */
export function parseYaml(text: string): unknown {
  const document = parseDocument(text, { ...dialect, logLevel: 'error' });
  const [error] = document.errors;
  if (error !== undefined) throw new SyntaxError(firstLine(error.message), { cause: error });
  try {
    return document.toJS({ reviver: refuseEndless }) ?? undefined;
  } catch (cause) {
    // Aliases without an anchor, or of aliases of aliases: it is the text's fault.
    if (cause instanceof ReferenceError) throw new SyntaxError(cause.message, { cause });
    throw cause;
  }
}

/** JSON values as YAML that `parseYaml` reads as the same; ends with a line break. */
export function writeYaml(value: unknown): string {
  return stringify(value, { ...dialect, lineWidth: 0, aliasDuplicateObjects: false });
}

function refuseEndless(_key: unknown, value: unknown): unknown {
  if (typeof value !== 'number' || Number.isFinite(value)) return value;
  throw new SyntaxError('.inf and .nan are no numbers of JSON');
}

/** The parser shows the line it stumbled over below its message, with a colon between. */
function firstLine(message: string): string {
  return (message.split('\n')[0] ?? '').replace(/:$/, '');
}
