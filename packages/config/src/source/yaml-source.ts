import { isMap, isSeq, parseDocument, visit } from 'yaml';
import type { Document, YAMLMap, YAMLParseError } from 'yaml';
import { isMap as isPlainMap } from './key-path.ts';
import { positionsIn } from './position.ts';
import type { SourcePosition } from './position.ts';
import { missingVariable, problemsError, refuseAny, showPlace, syntaxProblem, unread } from './problem.ts';
import type { Problem, Source } from './problem.ts';
import { substitute, substituteText } from './substitute.ts';
import type { Environment } from './substitute.ts';
import { withDialect } from './yaml-dialect.ts';
import { keyText, offsetOf, walk } from './yaml-path.ts';

export interface YamlSource extends Source {
  /** What is legal but surely not meant, a sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Reads the text of a config.yaml and replaces its variables. A blank file is an empty map.
 * @throws GatewayError `SETTINGS_SYNTAX`, `SETTINGS_VARIABLE_MISSING`; each tells of every such fault in the file.
 */
export function readYaml(text: string, name: string, env: Environment): YamlSource {
  return readWritten(text, {
    name,
    title: 'config.yaml',
    holds: 'settings',
    text,
    originOf: (at) => at,
    env,
  });
}

/**
 * Reads the text of an apisix.yaml: its variables are replaced before it is parsed, so that YAML decides what the
 * values are. A blank file is an empty map.
 * @throws GatewayError as `readYaml` does.
 */
export function readSubstitutedYaml(text: string, name: string, env: Environment): YamlSource {
  const { text: replaced, missing, originOf } = substituteText(text, env);
  const positionOf = positionsIn(text);
  refuseAny(
    missing.map(({ name: variable, offset }) => missingVariable(variable, positionOf(offset))),
    unread(name),
  );
  return readWritten(replaced, {
    name,
    title: 'apisix.yaml',
    holds: 'resources',
    text,
    originOf,
    env: undefined,
  });
}

interface Written {
  readonly name: string;
  /** How the file is called in messages, and what it is a map of. */
  readonly title: string;
  readonly holds: string;
  /** As it is in the file, for messages, and where in it a place of the parsed text comes from. */
  readonly text: string;
  readonly originOf: (offset: number) => number;
  /** For variables in what was parsed; undefined leaves them as they are. */
  readonly env: Environment | undefined;
}

function readWritten(parsed: string, { name, title, holds, text, originOf, env }: Written): YamlSource {
  const document = parseDocument(parsed, {
    version: '1.1',
    customTags: withDialect,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'error',
  });
  const positionInText = positionsIn(text);
  const positionOf = (offset: number): SourcePosition => positionInText(originOf(offset));

  const written = unread(name);
  refuseAny(
    document.errors.map((error) => {
      const at = positionOf(error.pos[0]);
      return syntaxProblem(showError(error, text, at), at);
    }),
    written,
  );
  const { problems, missing, variables, warnings } = examine(document, env, positionOf);
  refuseAny(problems, written);
  refuseAny(missing, written);

  const content = toTree(document);
  if (!('tree' in content)) {
    const fault =
      'wrong' in content
        ? `YAML syntax error: ${content.wrong}`
        : `invalid ${title} file: expected a map of ${holds}, found ${content.found}`;
    throw problemsError([syntaxProblem(fault, positionOf(offsetOf(document.contents)))], written);
  }
  return {
    name,
    tree: content.tree,
    locate: (path) => {
      const { offset } = walk(document, path);
      return offset === undefined ? undefined : positionOf(offset);
    },
    variablesOf: (path) => variables.get(walk(document, path).node) ?? [],
    warnings: [
      ...document.warnings.map((warning) => ({ offset: warning.pos[0], text: warning.message })),
      ...warnings,
    ].map((warning) => showPlace({ name }, positionOf(warning.offset)) + warning.text),
  };
}

/** What the parser stumbled over, and the rest of the line it did so in. */
function showError(error: YAMLParseError, text: string, { line, column }: SourcePosition): string {
  const what = error.code === 'MULTIPLE_DOCS' ? 'expected one document, not several' : error.message;
  const written = text.split('\n')[line - 1] ?? '';
  const rest = written.slice(column - 1).trim();
  return `YAML syntax error: ${what}, found ${rest === '' ? 'the end of the line' : JSON.stringify(rest)}`;
}

/** The whole document as plain data, or what is wrong with it; what it is instead of a map. */
function toTree(
  document: Document,
):
  | { readonly tree: Readonly<Record<string, unknown>> }
  | { readonly wrong: string }
  | { readonly found: string } {
  if (document.contents === null) return { tree: {} };
  let tree: unknown;
  try {
    tree = document.toJS();
  } catch (error) {
    if (error instanceof ReferenceError) return { wrong: error.message }; // Aliases of aliases of aliases.
    throw error;
  }
  return isPlainMap(tree) ? { tree } : { found: Array.isArray(tree) ? 'a list' : String(tree) };
}

interface Findings {
  readonly problems: Problem[];
  readonly missing: Problem[];
  /** The variables that a scalar was made from. */
  readonly variables: Map<unknown, readonly string[]>;
  readonly warnings: { readonly offset: number; readonly text: string }[];
}

/**
 * Replaces variables in place, and finds what the parser lets pass. Keys are compared once their variables are replaced.
 */
function examine(
  document: Document,
  env: Environment | undefined,
  positionOf: (offset: number) => SourcePosition,
): Findings {
  const found: Findings = { problems: [], missing: [], variables: new Map(), warnings: [] };

  visit(document, {
    Scalar(role, node) {
      if (env === undefined || typeof node.value !== 'string') return;
      const { value, variables, missing } = substitute(node.value, env);
      for (const name of missing) found.missing.push(missingVariable(name, positionOf(offsetOf(node))));
      if (variables.length === 0) return;
      node.value = role === 'key' ? String(value) : value;
      found.variables.set(node, variables);
    },
    Alias(_, node, ancestors) {
      const target = node.resolve(document);
      const at = positionOf(offsetOf(node));
      if (target === undefined) {
        found.problems.push(
          syntaxProblem(`YAML syntax error: there is no &${node.source} before *${node.source}`, at),
        );
      } else if (ancestors.includes(target)) {
        found.problems.push(syntaxProblem(`YAML syntax error: *${node.source} contains itself`, at));
      }
    },
    Pair(_, pair) {
      if (isMap(pair.key) || isSeq(pair.key)) {
        const at = positionOf(offsetOf(pair.key));
        found.problems.push(
          syntaxProblem('YAML syntax error: expected a word as key, found a map or list', at),
        );
      }
    },
  });
  visit(document, {
    Map(_, map) {
      found.warnings.push(...repeatedKeys(map, positionOf));
    },
  });
  return found;
}

/** The reference takes the last of equal keys without a word. */
function repeatedKeys(map: YAMLMap, positionOf: (offset: number) => SourcePosition): Findings['warnings'] {
  const warnings: Findings['warnings'] = [];
  const seen = new Map<string, number>();
  for (const { key } of map.items) {
    const name = keyText(key);
    const earlier = seen.get(name);
    const offset = offsetOf(key);
    if (earlier !== undefined && name !== '<<') {
      const { line } = positionOf(earlier);
      warnings.push({
        offset,
        text: `"${name}" is written a second time and replaces the one in line ${line}`,
      });
    }
    seen.set(name, offset);
  }
  return warnings;
}
