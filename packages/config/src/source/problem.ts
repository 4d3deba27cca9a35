import { GatewayError } from '@apisix-ts/errors';
import type { ErrorCode } from '@apisix-ts/errors';
import { isMap, showPath, valueAt } from './key-path.ts';
import type { KeyPath } from './key-path.ts';
import type { SourcePosition } from './position.ts';

/** One thing that is wrong with the settings, or with a file of resources. */
export interface Problem {
  readonly code: Extract<ErrorCode, `SETTINGS_${string}` | 'RESOURCE_INVALID'>;
  /** What is wrong; in APISIX's words where it has some. */
  readonly text: string;
  /** The value at fault, also when it is missing. */
  readonly path: KeyPath;
  /** What would have been right; reads on after "expected". */
  readonly expected?: string;
  /** Where it stands, when the path cannot tell. */
  readonly at?: SourcePosition;
}

/** What the operator wrote, and where. */
export interface Source {
  /** The file; `settings` when they are given as an object. */
  readonly name: string;
  /** What was written, variables replaced, before any default. */
  readonly tree: Readonly<Record<string, unknown>>;
  /** The place of a key, or of the nearest key around it that was written. */
  locate(path: KeyPath): SourcePosition | undefined;
  /** The variables that the text of this value was made from. */
  variablesOf(path: KeyPath): readonly string[];
}

/** A source that could not be read. */
export function unread(name: string): Source {
  return { name, tree: {}, locate: () => undefined, variablesOf: () => [] };
}

export function syntaxProblem(text: string, at: SourcePosition): Problem {
  return { code: 'SETTINGS_SYNTAX', text, path: [], at };
}

export function missingVariable(name: string, at: SourcePosition | undefined): Problem {
  return {
    code: 'SETTINGS_VARIABLE_MISSING',
    text: `failed to handle configuration: can't find environment variable ${name}`,
    path: [],
    ...(at !== undefined && { at }),
  };
}

/** Throws all problems, if there are any. */
export function refuseAny(problems: readonly Problem[], source: Source): void {
  const [first, ...others] = problems;
  if (first !== undefined) throw problemsError([first, ...others], source);
}

/**
 * One error that tells all problems, a line for each in the order of the file, with the code of the first:
 * `conf/config.yaml:7:5: failed to validate config: … (apisix.proxy_mode: expected one of …, found "tcp")`.
 */
export function problemsError(problems: readonly [Problem, ...Problem[]], source: Source): GatewayError {
  const placed = problems
    .map((problem) => ({ problem, at: placeOf(problem, source) }))
    .sort((a, b) => compareLines(a.at, b.at));

  return new GatewayError(
    (placed[0]?.problem ?? problems[0]).code,
    placed.map(({ problem }) => describeProblem(problem, source)).join('\n'),
    {
      detail: {
        problems: placed.map(({ problem: { code, text, path } }) => ({ code, text, path: showPath(path) })),
      },
    },
  );
}

/** One line of such a message. */
export function describeProblem(problem: Problem, source: Source): string {
  return showPlace(source, placeOf(problem, source)) + showProblem(problem, source);
}

function placeOf({ at, path }: Problem, source: Source): SourcePosition | undefined {
  return at ?? source.locate(path);
}

/** `conf/config.yaml:7:5: `, as far as it is known. */
export function showPlace(source: Pick<Source, 'name'>, at: SourcePosition | undefined): string {
  return at === undefined ? `${source.name}: ` : `${source.name}:${at.line}:${at.column}: `;
}

/** What has no place in the file comes last. */
function compareLines(a: SourcePosition | undefined, b: SourcePosition | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  return a.line - b.line || a.column - b.column;
}

function showProblem({ text, path, expected }: Problem, source: Source): string {
  if (path.length === 0) return text;
  const wanted = expected === undefined ? '' : `expected ${expected}, `;
  const variables = source.variablesOf(path).map((name) => ` from \${{${name}}}`);
  return `${text} (${showPath(path)}: ${wanted}found ${showFound(path, source.tree)}${variables.join('')})`;
}

const secret = /^(?:.*_)?(?:keys?|keyring|password|secret|token)$/;
const shownCharacters = 60;

/** What was written there; keys and passwords stay out of logs, also those inside a map. */
function showFound(path: KeyPath, tree: unknown): string {
  const value = valueAt(tree, path);
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (isMap(value)) return Object.keys(value).length === 0 ? 'an empty map' : 'a map';
  if (path.some((step) => secret.test(String(step)))) return `a ${typeof value}`;
  const shown = typeof value === 'number' ? String(value) : JSON.stringify(value); // JSON has no NaN.
  return shown.length <= shownCharacters ? shown : `${shown.slice(0, shownCharacters)}…`;
}
