import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parse, stringify } from 'yaml';
import { readPageFile, root } from './page.ts';
import type { CommandsStep, FileStep } from './page.ts';
import { openTerminal } from './terminal.ts';
import type { Terminal } from './terminal.ts';
import { quoted } from './typing.ts';

/** Pages that one reader follows, and what they take for granted besides a clone whose gateway runs as `npm start` runs it. */
export interface Walk {
  readonly pages: readonly string[];
  /** Commands that start the servers which the pages say their reader has. */
  readonly servers?: string;
  /** Ports of those. */
  readonly opens?: readonly number[];
  /** Commands that make the resources of which the pages speak. */
  readonly resources?: string;
  /** Addresses that servers or clients of the pages have. */
  readonly addresses?: readonly string[];
  /** Host names that the reader has, with their addresses. */
  readonly names?: Readonly<Record<string, string>>;
  /** Folders of the system into which the pages write. */
  readonly writes?: readonly string[];
  /** The pages start the gateway themselves. */
  readonly startsGateway?: boolean;
}

const STEP_LIMIT_MS = 180_000;

/**
 * Does what pages say, as it stands there, in a folder that looks like a clone: writes their files, runs their commands, and
 * compares what is to be seen. A fragment of conf/config.yaml is merged with what the file has, as a reader would do it.
 * Rejects, with the line of the page, when a command fails or shows something else.
 */
export async function followPages({ pages, servers, opens = [], ...given }: Walk): Promise<void> {
  const tempFolder = await mkdtemp(join(tmpdir(), 'page-'));
  const folder = join(tempFolder, 'clone');
  await mkdir(join(folder, 'conf'), { recursive: true });
  await mkdir(join(folder, 'bin'));
  await copyFile(join(root, 'conf', 'config.yaml'), join(folder, 'conf', 'config.yaml'));
  await symlink(join(root, 'bin', 'apisix'), join(folder, 'bin', 'apisix'));
  // An answer of 400 or more is a failure.
  await writeFile(join(tempFolder, '.curlrc'), 'no-progress-meter\nfail-with-body\n');
  const path = [join(folder, 'bin'), dirname(process.execPath), process.env['PATH']].join(':');
  const terminal = await openTerminal({
    folder,
    tempFolder,
    env: {
      ...process.env,
      PATH: path,
      HOME: tempFolder,
      CURL_HOME: tempFolder,
      LC_ALL: 'C.UTF-8',
      APISIX_WORKER_PROCESSES: '2',
    },
    addresses: given.addresses ?? [],
    names: given.names ?? {},
    writes: given.writes ?? [],
  });
  try {
    if (servers !== undefined) await run(terminal, 'the servers', servers);
    await untilListening(terminal, opens);
    if (given.startsGateway !== true) await run(terminal, 'the gateway', 'bin/apisix start');
    if (given.resources !== undefined) await run(terminal, 'the resources', given.resources);
    await untilApplied(terminal);
    for (const page of pages) await followPage(terminal, folder, page);
  } finally {
    await terminal.close();
    await rm(tempFolder, { recursive: true, force: true });
  }
}

async function followPage(terminal: Terminal, folder: string, page: string): Promise<void> {
  for (const step of readPageFile(page)) {
    if (step.does === 'write') await writeStep(folder, step);
    if (step.does === 'run') await runStep(terminal, `${page}:${step.line}`, step);
  }
}

async function writeStep(folder: string, { path, text }: FileStep): Promise<void> {
  const file = join(folder, path);
  if (path !== 'conf/config.yaml') return writeFile(file, `${text}\n`);
  const merged = merge(parse(await readFile(file, 'utf8')), parse(text));
  return writeFile(file, stringify(merged));
}

function merge(old: unknown, fragment: unknown): unknown {
  if (!isMap(old) || !isMap(fragment)) return fragment;
  const changed = Object.entries(fragment).map(([key, value]) => [key, merge(old[key], value)]);
  return { ...old, ...Object.fromEntries(changed) };
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function runStep(terminal: Terminal, place: string, step: CommandsStep): Promise<void> {
  const seen = await run(terminal, place, commandsOf(step), step.fails);
  if (step.output !== undefined && !isAsShown(seen, step.output)) {
    throw new Error(`${place} shows\n${step.output.text}\nand what is to be seen is\n${seen}`);
  }
  await untilListening(terminal, step.opens);
  await untilApplied(terminal);
}

/** For the shell of the terminal, which is bash. */
function commandsOf({ text, shell, typed }: CommandsStep): string {
  if (shell === 'zsh') return `zsh --no-rcs -ec ${quoted(text)}`;
  if (shell === 'fish') return `fish --no-config --command ${quoted(text)}`;
  if (typed.length === 0) return text;
  const program = `import { typeInto } from ${JSON.stringify(join(import.meta.dirname, 'typing.ts'))};
    const { seen, status } = await typeInto(${JSON.stringify(text)}, ${JSON.stringify(typed)});
    process.stdout.write(seen);
    process.exitCode = status ?? 1;`;
  return `node --input-type=module --eval ${quoted(program)}`;
}

async function run(terminal: Terminal, place: string, commands: string, fails = false): Promise<string> {
  const { output, failed } = await terminal.run(commands, STEP_LIMIT_MS);
  if (failed !== undefined && !fails) throw new Error(`${place}: ${failed}\nfailed:\n${output}`);
  if (failed === undefined && fails) throw new Error(`${place} did not fail:\n${output}`);
  // What curl adds because of `fail-with-body`; a reader does not see it.
  return output.replaceAll(/^curl: \(22\) .*\n/gm, '');
}

/**
 * `…` stands for anything, and in JSON a number for any number: they are times and revisions. White space at the ends of
 * lines does not count, in JSON none does.
 */
function isAsShown(seen: string, { text, isJson }: NonNullable<CommandsStep['output']>): boolean {
  if (!isJson) return fits(withoutEnds(seen), withoutEnds(text).split('…').map(escape).join('[^]*'));
  const pattern = text.replaceAll(/"(?:[^"\\…]|\\.)*"|-?\d+(?:\.\d+)?|…|[^]/g, (part) => {
    if (part === '…') return '[^]*';
    return /^-?\d/.test(part) ? String.raw`-?\d+(?:\.\d+)?` : escape(part.replaceAll(/\s+/g, ''));
  });
  return fits(seen.replaceAll(/\s+/g, ''), pattern);
}

function fits(seen: string, pattern: string): boolean {
  return new RegExp(`^${pattern}$`).test(seen);
}

function withoutEnds(output: string): string {
  return output.replaceAll(/[ \t\r]+$/gm, '').trim();
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}

async function untilListening(terminal: Terminal, ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    await run(
      terminal,
      `port ${port}`,
      `until [ -n "$(ss -Hlntu sport = :${port})" ]; do read -rt 0.02 <> <(:) || true; done`,
    );
  }
}

/** What a change through the Admin API says is in effect some milliseconds later: before a reader types anything. */
async function untilApplied(terminal: Terminal): Promise<void> {
  const status = 'curl http://127.0.0.1:9090/v1/config/status 2> /dev/null';
  const isApplied = String.raw`[[ ! $status =~ \"revision\":([0-9]+).*\"applied_revision\":([0-9]+) ||
    ${'${BASH_REMATCH[1]}'} == "${'${BASH_REMATCH[2]}'}" ]]`;
  await run(terminal, 'the gateway', `until status=$(${status}) || true; ${isApplied}; do :; done`);
}
