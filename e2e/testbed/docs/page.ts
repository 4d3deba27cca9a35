import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Code, Nodes } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { ctrlC } from './typing.ts';
import type { Typed } from './typing.ts';

export const root: string = join(import.meta.dirname, '..', '..', '..');

/** What a reader of a page does, in order. `line`: where it stands in the page. */
export type Step = FileStep | CommandsStep | HandedOverStep | LeftOutStep;

/** A block with `title="conf/config.yaml"` or another path: the reader writes it there. */
export interface FileStep {
  readonly does: 'write';
  readonly line: number;
  readonly path: string;
  readonly text: string;
}

/** A block of `sh`, or of the shell that it is for: the reader pastes it. */
export interface CommandsStep {
  readonly does: 'run';
  readonly line: number;
  readonly text: string;
  readonly shell: Shell;
  /** The block of `text` or `json` right after it: what is then to be seen, with `…` for anything. */
  readonly output?: { readonly text: string; readonly isJson: boolean };
  /** Ports that have to listen before the reader goes on. */
  readonly opens: readonly number[];
  /** What the reader types while they run, on a terminal. */
  readonly typed: readonly Typed[];
  /** The page shows what does not work. */
  readonly fails: boolean;
}

const shells = ['sh', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** A block that another test runs, which has what it takes: `handed-over.ts`. */
export interface HandedOverStep {
  readonly does: 'hand over';
  readonly line: number;
  readonly text: string;
  /** Its file, somewhere below e2e/cases: `container.test.ts`. */
  readonly to: string;
}

/** A block that no test can run. */
export interface LeftOutStep {
  readonly does: 'leave out';
  readonly line: number;
  readonly reason: string;
}

/** `line`: where it stands in the page. */
export interface Block {
  readonly line: number;
  readonly text: string;
}

/**
 * The steps of a page, from its fenced blocks. A comment right above commands tells what a test has to know and a reader
 * sees:
 * - `<!-- test: opens 6379 -->` waits for a port that they open
 * - `<!-- test: at "password: " types "secret", at "> " types Ctrl-C -->` runs them on a terminal, and types
 * - `<!-- test: fails -->` expects them to fail
 * - `<!-- test: run by container.test.ts -->` leaves them to that test
 * - `<!-- test: not run, it makes a release -->` leaves them out
 *
 * Throws a `TypeError` for such a comment that is misspelled or stands elsewhere.
 */
export function readPage(markdown: string): readonly Step[] {
  return stepsBelow(fromMarkdown(markdown));
}

/** @param path below the root of the repository, as `docs/guides/tls.md`. */
export function readPageFile(path: string): readonly Step[] {
  return readPage(readFileSync(join(root, path), 'utf8'));
}

/** The fenced blocks of a page in one language. */
export function blocksOf(markdown: string, language: string): readonly Block[] {
  const within = (node: Nodes): Block[] => {
    if (node.type !== 'code') return 'children' in node ? node.children.flatMap(within) : [];
    return node.lang === language ? [{ line: node.position?.start.line ?? 0, text: node.value }] : [];
  };
  return within(fromMarkdown(markdown));
}

function stepsBelow(node: Nodes): Step[] {
  if (!('children' in node)) return [];
  return node.children.flatMap((child, index) => {
    if (child.type === 'code') return stepsOf(child, node.children[index - 1], node.children[index + 1]);
    checkMark(child, node.children[index + 1]);
    return stepsBelow(child);
  });
}

function stepsOf(block: Code, before: Nodes | undefined, after: Nodes | undefined): Step[] {
  const line = block.position?.start.line ?? 0;
  const path = /^title="([^"]+)"$/.exec(block.meta ?? '')?.[1];
  if (path !== undefined) return [{ does: 'write', line, path, text: block.value }];
  const shell = shellOf(block);
  if (shell === undefined) return [];
  const { reason, to, ...expected } = markOf(before);
  if (reason !== undefined) return [{ does: 'leave out', line, reason }];
  if (to !== undefined) return [{ does: 'hand over', line, text: block.value, to }];
  const step = { does: 'run', line, text: block.value, shell, ...expected } as const;
  if (after?.type !== 'code' || !['text', 'json'].includes(after.lang ?? '')) return [step];
  return [{ ...step, output: { text: after.value, isJson: after.lang === 'json' } }];
}

function shellOf(block: Code): Shell | undefined {
  return shells.find((shell) => shell === block.lang);
}

interface Mark extends Pick<CommandsStep, 'opens' | 'typed' | 'fails'> {
  readonly reason?: string;
  readonly to?: string;
}

function markOf(node: Nodes | undefined): Mark {
  const nothing = { opens: [], typed: [], fails: false };
  const mark = node?.type === 'html' ? /^<!-- test: (.+) -->$/.exec(node.value)?.[1] : undefined;
  if (mark === undefined) return nothing;
  if (mark === 'fails') return { ...nothing, fails: true };
  const reason = /^not run, (.+)$/.exec(mark)?.[1];
  if (reason !== undefined) return { ...nothing, reason };
  const to = /^run by (\S+\.test\.ts)$/.exec(mark)?.[1];
  if (to !== undefined) return { ...nothing, to };
  const ports = /^opens (\d+(?: \d+)*)$/.exec(mark)?.[1];
  if (ports !== undefined) return { ...nothing, opens: ports.split(' ').map(Number) };
  const typed = mark.split(', ').map((part) => /^at "([^"]+)" types (?:"([^"]+)"|Ctrl-C)$/.exec(part));
  if (typed.every((part) => part !== null)) {
    return {
      ...nothing,
      typed: typed.map(([, at = '', line]) => ({ at, keys: line === undefined ? ctrlC : `${line}\n` })),
    };
  }
  throw new TypeError(
    `expected "not run, …", "run by ….test.ts", "opens …", "at … types …" or "fails", found "${mark}"`,
  );
}

function checkMark(node: Nodes, after: Nodes | undefined): void {
  if (node.type !== 'html' || !/^<!--\s*test\b/.test(node.value)) return;
  const isAboveCommands = after?.type === 'code' && shellOf(after) !== undefined;
  if (isAboveCommands && node.value.startsWith('<!-- test: ')) return;
  throw new TypeError(
    `"${node.value}" is not read: it belongs right above a block of sh, as <!-- test: … -->`,
  );
}
