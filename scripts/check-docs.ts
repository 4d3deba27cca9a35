/**
 * `pnpm docs:check`: the error table and docs/errors.md name the same codes, docs/reference says what the schemas say,
 * every package has a README, every page is found from docs/README.md, and every relative link in the Markdown files
 * leads to a file, and a heading, that exists.
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { codes } from '../packages/errors/src/codes.ts';
import { outdatedPages } from './reference/pages.ts';

const root = dirname(import.meta.dirname);
const problems = [
  ...compareCodes(),
  ...outdatedPages().map((page) => `${page} is not what the schemas say: run pnpm docs:generate.`),
  ...findMissingReadmes(),
  ...findBrokenLinks(),
  ...findLostPages(),
];
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;

function compareCodes(): string[] {
  const page = 'docs/errors.md';
  if (!existsSync(join(root, page))) return [`${page} is missing: it explains every error code.`];
  const explained = new Set(
    Array.from(readText(page).matchAll(/^### `?([A-Z][A-Z0-9_]+)`?\s*$/gm), ([, code]) => code),
  );
  const listed = new Set<string | undefined>(Object.keys(codes));
  return [
    ...[...listed]
      .filter((code) => !explained.has(code))
      .map((code) => `${page} has no section "### ${code}".`),
    ...[...explained]
      .filter((code) => !listed.has(code))
      .map((code) => `${page} explains ${code}, which packages/errors/src/codes.ts does not list.`),
  ];
}

function findMissingReadmes(): string[] {
  return globSync('{packages,apps}/*/package.json', { cwd: root })
    .map((manifest) => join(dirname(manifest), 'README.md'))
    .filter((readme) => !existsSync(join(root, readme)))
    .map((readme) => `${readme} is missing.`);
}

function findBrokenLinks(): string[] {
  return markdownFiles().flatMap((file) =>
    linksOf(readText(file))
      .filter((link) => !leadsSomewhere(file, link))
      .map((link) => `${file} links to ${link}, which does not exist.`),
  );
}

/** Pages that nobody finds who begins at docs/README.md. */
function findLostPages(): string[] {
  const found = new Set(['docs/README.md']);
  for (const page of found) {
    const linked = linksOf(readText(page)).map((link) => targetOf(page, link).path);
    for (const path of linked) if (path.endsWith('.md') && existsSync(join(root, path))) found.add(path);
  }
  return globSync('docs/**/*.md', { cwd: root })
    .filter((page) => !found.has(page))
    .map((page) => `${page} is not found from docs/README.md.`);
}

function markdownFiles(): string[] {
  return globSync('**/*.md', { cwd: root, exclude: (path) => /(^|\/)(node_modules|dist|\.git)$/.test(path) });
}

/** Inline links and reference definitions, without those to other sites. */
function linksOf(markdown: string): string[] {
  const text = withoutCode(markdown);
  return [...text.matchAll(/\]\(\s*<?([^)\s>]+)>?[^)]*\)/g), ...text.matchAll(/^\s*\[[^\]]+\]:\s+(\S+)/gm)]
    .map(([, link]) => link)
    .filter((link) => link !== undefined)
    .filter((link) => !/^[a-z][a-z0-9+.-]*:/i.test(link));
}

function leadsSomewhere(file: string, link: string): boolean {
  const { path, anchor } = targetOf(file, link);
  if (!existsSync(join(root, path))) return false;
  if (anchor === undefined || !path.endsWith('.md')) return true;
  return anchorsOf(readText(path)).has(anchor.toLowerCase());
}

function targetOf(
  file: string,
  link: string,
): { readonly path: string; readonly anchor: string | undefined } {
  const [path = '', anchor] = link.split('#');
  return {
    path: path === '' ? file : relative(root, resolve(root, dirname(file), decodeURIComponent(path))),
    anchor,
  };
}

/** The anchors of the headings, made as code hosts make them: a repeated one gets `-1`, `-2`. */
function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of withoutFences(markdown).matchAll(/^#{1,6}\s+(.*?)\s*#*$/gm)) {
    const slug = heading
      .toLowerCase()
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

function withoutCode(markdown: string): string {
  return withoutFences(markdown).replaceAll(/`[^`\n]*`/g, '');
}

function withoutFences(markdown: string): string {
  return markdown.replaceAll(/^ *(```|~~~)[\s\S]*?^ *\1/gm, '');
}

function readText(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}
