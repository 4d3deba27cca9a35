import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Code, Nodes } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';

export const root: string = join(import.meta.dirname, '..', '..', '..');

/** What a reader of a page does, in order. `line`: where it stands in the page. */
export type Step = FileStep | CommandsStep | LeftOutStep;

/** A block with `title="conf/config.yaml"` or another path: the reader writes it there. */
export interface FileStep {
  readonly does: 'write';
  readonly line: number;
  readonly path: string;
  readonly text: string;
}

/** A block of `sh`: the reader pastes it. */
export interface CommandsStep {
  readonly does: 'run';
  readonly line: number;
  readonly text: string;
  /** The block of `text` or `json` right after it: what is then to be seen, with `…` for anything. */
  readonly output?: { readonly text: string; readonly isJson: boolean };
  /** Ports that have to listen before the reader goes on. */
  readonly opens: readonly number[];
  /** The page shows what does not work. */
  readonly fails: boolean;
}

/** A block of `sh` that cannot be run by a test. */
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
 * The steps of a page, from its fenced blocks. A comment right above a block of `sh` tells what a test has to know and
 * a reader sees: `<!-- test: opens 6379 -->` waits for a port that the commands open, `<!-- test: fails -->` expects them
 * to fail, and `<!-- test: not run, needs systemd -->` leaves them out.
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
  if (block.lang !== 'sh') return [];
  const { reason, ...expected } = markOf(before);
  if (reason !== undefined) return [{ does: 'leave out', line, reason }];
  const step = { does: 'run', line, text: block.value, ...expected } as const;
  if (after?.type !== 'code' || !['text', 'json'].includes(after.lang ?? '')) return [step];
  return [{ ...step, output: { text: after.value, isJson: after.lang === 'json' } }];
}

interface Mark extends Pick<CommandsStep, 'opens' | 'fails'> {
  readonly reason?: string;
}

function markOf(node: Nodes | undefined): Mark {
  const nothing = { opens: [], fails: false };
  const mark = node?.type === 'html' ? /^<!-- test: (.+) -->$/.exec(node.value)?.[1] : undefined;
  if (mark === undefined) return nothing;
  if (mark === 'fails') return { ...nothing, fails: true };
  const reason = /^not run, (.+)$/.exec(mark)?.[1];
  if (reason !== undefined) return { ...nothing, reason };
  const ports = /^opens (\d+(?: \d+)*)$/.exec(mark)?.[1];
  if (ports !== undefined) return { ...nothing, opens: ports.split(' ').map(Number) };
  throw new TypeError(`expected "not run, …", "opens …" or "fails", found "${mark}"`);
}

function checkMark(node: Nodes, after: Nodes | undefined): void {
  if (node.type !== 'html' || !/^<!--\s*test\b/.test(node.value)) return;
  const isAboveCommands = after?.type === 'code' && after.lang === 'sh';
  if (isAboveCommands && node.value.startsWith('<!-- test: ')) return;
  throw new TypeError(
    `"${node.value}" is not read: it belongs right above a block of sh, as <!-- test: … -->`,
  );
}
