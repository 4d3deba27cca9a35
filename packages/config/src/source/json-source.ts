import { parseDocument } from 'yaml';
import type { Document } from 'yaml';
import { isMap } from './key-path.ts';
import type { KeyPath } from './key-path.ts';
import { positionsIn } from './position.ts';
import { missingVariable, problemsError, refuseAny, syntaxProblem, unread } from './problem.ts';
import type { Problem, Source } from './problem.ts';
import { substitute } from './substitute.ts';
import type { Environment } from './substitute.ts';
import { walk } from './yaml-path.ts';

/**
 * Reads the text of an apisix.json and replaces its variables.
 * @throws GatewayError `SETTINGS_SYNTAX`, or `SETTINGS_VARIABLE_MISSING` with all that are missing.
 */
export function readJson(text: string, name: string, env: Environment): Source {
  const written = parse(text, name);
  const positionOf = positionsIn(text);
  // JSON is YAML too, as far as places are concerned. They are asked for when something is wrong only.
  let document: Document | undefined;
  const locate: Source['locate'] = (path) => {
    document ??= parseAsYaml(text);
    const { offset } = walk(document, path);
    return offset === undefined ? undefined : positionOf(offset);
  };

  const replaced = replaceVariables(written, env);
  refuseAny(
    replaced.missing.map(({ path, variable }) => missingVariable(variable, locate(path))),
    unread(name),
  );
  if (isMap(replaced.value)) {
    const { value: tree, variables } = replaced;
    return { name, tree, locate, variablesOf: (path) => variables.get(JSON.stringify(path)) ?? [] };
  }
  const found = Array.isArray(replaced.value) ? 'a list' : JSON.stringify(replaced.value);
  const fault = `invalid apisix.json file: expected a map of resources, found ${found}`;
  throw problemsError([syntaxProblem(fault, positionOf(text.search(/\S/)))], unread(name));
}

function parse(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw problemsError([describeSyntaxError(error, text)], unread(name));
  }
}

function describeSyntaxError({ message }: SyntaxError, text: string): Problem {
  const positionOf = positionsIn(text);
  const told = /^(.*?) in JSON at position (\d+)/s.exec(message);
  const problem = (what: string, offset: number): Problem =>
    syntaxProblem(`failed to decode json: ${what}, found ${showRest(text, offset)}`, positionOf(offset));
  if (told !== null) return problem(told[1] ?? '', Number(told[2]));
  if (message === 'Unexpected end of JSON input') return problem('the text ends too early', text.length);
  // Of a word that is none of JSON's, Node does not tell the place.
  const offset = parseAsYaml(text).errors[0]?.pos[0] ?? 0;
  return problem('expected a value as JSON has it', offset);
}

function showRest(text: string, offset: number): string {
  const rest = (text.slice(offset).split('\n', 1)[0] ?? '').trim();
  if (rest === '') return offset >= text.length ? 'the end of the file' : 'the end of the line';
  return JSON.stringify(rest.length <= 60 ? rest : `${rest.slice(0, 60)}…`);
}

function parseAsYaml(text: string): Document {
  return parseDocument(text, { version: '1.2', schema: 'json', uniqueKeys: false, prettyErrors: false });
}

interface Replaced {
  readonly value: unknown;
  /** By the path of the value, as JSON. */
  readonly variables: Map<string, readonly string[]>;
  readonly missing: { readonly path: KeyPath; readonly variable: string }[];
}

/** In all strings, keys included; a key stays text. */
function replaceVariables(written: unknown, env: Environment): Replaced {
  const variables: Replaced['variables'] = new Map();
  const missing: Replaced['missing'] = [];

  /** @param at where it is written, @param path where it is then. */
  function replaceText(text: string, at: KeyPath, path: KeyPath): string | number | boolean {
    const result = substitute(text, env);
    for (const variable of result.missing) missing.push({ path: at, variable });
    if (result.variables.length > 0) variables.set(JSON.stringify(path), result.variables);
    return result.value;
  }

  function replace(value: unknown, at: KeyPath, path: KeyPath): unknown {
    if (typeof value === 'string') return replaceText(value, at, path);
    if (Array.isArray(value)) {
      return value.map((item: unknown, index) => replace(item, [...at, index], [...path, index]));
    }
    if (!isMap(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => {
        const name = key.includes('${{') ? String(replaceText(key, [...at, key], path)) : key;
        return [name, replace(member, [...at, key], [...path, name])];
      }),
    );
  }

  return { value: replace(written, [], []), variables, missing };
}
