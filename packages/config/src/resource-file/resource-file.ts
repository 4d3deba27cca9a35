import { basename } from 'node:path';
import { GatewayError } from '@apisix-ts/errors';
import { readJson } from '../source/json-source.ts';
import { problemsError } from '../source/problem.ts';
import type { Problem, Source } from '../source/problem.ts';
import type { Environment } from '../source/substitute.ts';
import { readSubstitutedYaml } from '../source/yaml-source.ts';
import type { YamlSource } from '../source/yaml-source.ts';
import { collectItems } from './collect-items.ts';
import type { ResourceItem } from './collect-items.ts';

export type ResourceFormat = 'yaml' | 'json';

export interface ResourceFileOptions {
  /** Absolute path of the file, for messages. */
  readonly path: string;
  readonly format: ResourceFormat;
  /** For `${{NAME}}`. */
  readonly env: Environment;
}

/** All resources as one file has them. None of them was checked. */
export interface ResourceFile {
  readonly source: Source;
  /** In the order of the file, each key once: of several with one id the last. */
  readonly items: readonly ResourceItem[];
  /** Segments of the kinds whose items cannot be told, because what the file has for them is no list. */
  readonly unreadKinds: readonly string[];
  /** What cannot become an item, and kinds that are no list. */
  readonly problems: readonly Problem[];
  /** Items that replace an earlier one with the same id. */
  readonly duplicates: readonly Problem[];
  /** What is legal but surely not meant, a sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Reads the text of an apisix.yaml or apisix.json.
 * @throws GatewayError `SETTINGS_SYNTAX` for what is not complete, not in its format, empty or no map, and
 * `SETTINGS_VARIABLE_MISSING`; each line of the message begins with `<path>:<line>:<column>`.
 */
export function parseResourceFile(text: string, options: ResourceFileOptions): ResourceFile {
  try {
    return parse(text, options);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const message = `invalid file ${options.path}: it is nested too deeply (${error.message})`;
    throw new GatewayError('SETTINGS_SYNTAX', message, { cause: error });
  }
}

function parse(text: string, { path, format, env }: ResourceFileOptions): ResourceFile {
  if (format === 'yaml' && !hasEndMark(text)) throw endMarkMissing(path);
  const source: Source & Partial<YamlSource> =
    format === 'yaml' ? readSubstitutedYaml(text, path, env) : readJson(text, path, env);
  if (Object.keys(source.tree).length === 0) throw emptyFile(source);

  const collected = collectItems(source);
  return { source, ...collected, warnings: [...(source.warnings ?? []), ...collected.warnings] };
}

/** What tells that a YAML file was written to its end. */
function hasEndMark(text: string): boolean {
  return /#END\s*$/.test(text.slice(-10));
}

function endMarkMissing(path: string): GatewayError {
  const name = basename(path);
  return new GatewayError(
    'SETTINGS_SYNTAX',
    `failed to parse the content of file ${path}: missing valid end flag in file ${path}: expected ${name} to end ` +
      'with a line #END, which tells that it was written to its end',
  );
}

/** A file that was emptied is more likely an accident than a wish. */
function emptyFile(source: Source): GatewayError {
  return problemsError(
    [
      {
        code: 'SETTINGS_SYNTAX',
        text: 'failed update config: empty table: expected a map of resources, found nothing; an empty list, as in routes: [], takes all of a kind away',
        path: [],
        at: { line: 1, column: 1 },
      },
    ],
    source,
  );
}
