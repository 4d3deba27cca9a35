import { LineCounter, isMap, isSeq, parseDocument, visit } from 'yaml';
import type { Document, YAMLMap, YAMLParseError } from 'yaml';
import { isMap as isPlainMap } from './key-path.ts';
import { refuseAny, problemsError, showPlace } from './problem.ts';
import type { Problem, Source, SourcePosition } from './problem.ts';
import { substitute } from './substitute.ts';
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
  const lines = new LineCounter();
  const document = parseDocument(text, {
    version: '1.1',
    customTags: withDialect,
    uniqueKeys: false,
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
  });
  const positionOf = (offset: number): SourcePosition => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };

  const written = { name, tree: {}, locate: () => undefined, variablesOf: () => [] };
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

  const tree = toTree(document);
  if (typeof tree === 'string') {
    throw problemsError([syntaxProblem(tree, positionOf(offsetOf(document.contents)))], written);
  }
  return {
    name,
    tree,
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

/** The whole document as plain data, or what is wrong with it. */
function toTree(document: Document): Readonly<Record<string, unknown>> | string {
  if (document.contents === null) return {};
  let tree: unknown;
  try {
    tree = document.toJS();
  } catch (error) {
    if (error instanceof ReferenceError) return `YAML syntax error: ${error.message}`; // Aliases of aliases of aliases.
    throw error;
  }
  if (isPlainMap(tree)) return tree;
  return `invalid config.yaml file: expected a map of settings, found ${Array.isArray(tree) ? 'a list' : String(tree)}`;
}

interface Findings {
  readonly problems: Problem[];
  readonly missing: Problem[];
  /** The variables that a scalar was made from. */
  readonly variables: Map<unknown, readonly string[]>;
  readonly warnings: { readonly offset: number; readonly text: string }[];
}

/** Replaces variables in place, and finds what the parser lets pass. Keys are compared once their variables are replaced. */
function examine(
  document: Document,
  env: Environment,
  positionOf: (offset: number) => SourcePosition,
): Findings {
  const found: Findings = { problems: [], missing: [], variables: new Map(), warnings: [] };

  visit(document, {
    Scalar(role, node) {
      if (typeof node.value !== 'string') return;
      const { value, variables, missing } = substitute(node.value, env);
      const at = positionOf(offsetOf(node));
      for (const name of missing) {
        found.missing.push({
          code: 'SETTINGS_VARIABLE_MISSING',
          text: `failed to handle configuration: can't find environment variable ${name}`,
          path: [],
          at,
        });
      }
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

function syntaxProblem(text: string, at: SourcePosition): Problem {
  return { code: 'SETTINGS_SYNTAX', text, path: [], at };
}
