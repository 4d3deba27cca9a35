import { createHash } from 'node:crypto';
import type { Revision, StoreEntry } from '@apisix-ts/config';

/** Whose content a snapshot is. */
export interface SnapshotOrigin {
  /** The store's name, as `config_provider` has it. */
  readonly store: string;
  /** What its keys begin with. */
  readonly prefix: string;
  /** Where it is. Two lists that share a host mean the same store, so members can be replaced one by one. */
  readonly hosts: readonly string[];
}

export interface SnapshotHeader {
  readonly origin: SnapshotOrigin;
  readonly revision: Revision;
  /** Milliseconds since 1970. */
  readonly savedAtMs: number;
}

export interface KeptSnapshot extends SnapshotHeader {
  /** In no particular order; values as they are stored. */
  readonly entries: readonly StoreEntry[];
}

const FORMAT = 'apisix-ts snapshot';
const VERSION = 1;
/** What is encoded at a stretch, before other work gets its turn. Some 0.2 ms. */
const CHUNK_CHARACTERS = 64 * 1024;
const NEWLINE = 10;

/**
 * A line of JSON for the header and for each entry, and a last one with the number of entries and the SHA-256 of all
 * before it.
 */
export function* encodeSnapshot({ origin, revision, savedAtMs, entries }: KeptSnapshot): Generator<Buffer> {
  const hash = createHash('sha256');
  const chunk = (text: string): Buffer => {
    const bytes = Buffer.from(text);
    hash.update(bytes);
    return bytes;
  };
  let text = line({ format: FORMAT, version: VERSION, ...origin, revision, saved_at: savedAtMs });
  for (const { key, createRevision, modRevision, value } of entries) {
    text += line([key, createRevision, modRevision, value]);
    if (text.length < CHUNK_CHARACTERS) continue;
    yield chunk(text);
    text = '';
  }
  yield chunk(text);
  yield Buffer.from(line({ entries: entries.length, sha256: hash.digest('hex') }));
}

/** @throws Error that says what is wrong. */
export function decodeHeader(bytes: Buffer): SnapshotHeader {
  const end = bytes.indexOf(NEWLINE);
  const header: unknown = end === -1 ? undefined : parse(bytes.subarray(0, end));
  if (!isRecord(header) || header['format'] !== FORMAT) throw new Error('it does not begin like a snapshot');
  if (header['version'] !== VERSION)
    throw new Error(`its format is version ${String(header['version'])}, and this gateway knows ${VERSION}`);
  const { store, prefix, hosts, revision, saved_at: savedAtMs } = header;
  if (
    typeof store !== 'string' ||
    typeof prefix !== 'string' ||
    !Array.isArray(hosts) ||
    !isWhole(revision) ||
    !isWhole(savedAtMs)
  ) {
    throw new Error('its first line is damaged');
  }
  return { origin: { store, prefix, hosts: hosts.map(String) }, revision, savedAtMs };
}

/** @throws Error that says what is wrong. Nothing is left out of what it returns. */
export function decodeSnapshot(bytes: Buffer): KeptSnapshot {
  const header = decodeHeader(bytes);
  const trailerStart = bytes.lastIndexOf(NEWLINE, bytes.length - 2) + 1;
  const trailer = bytes.at(-1) === NEWLINE ? parse(bytes.subarray(trailerStart, -1)) : undefined;
  if (!isRecord(trailer) || typeof trailer['sha256'] !== 'string') throw new Error('it is cut off');
  const body = bytes.subarray(0, trailerStart);
  if (createHash('sha256').update(body).digest('hex') !== trailer['sha256'])
    throw new Error('its content does not match its checksum');

  const entries: StoreEntry[] = [];
  for (let start = body.indexOf(NEWLINE) + 1; start < body.length;) {
    const end = body.indexOf(NEWLINE, start);
    // The checksum is right, so this is what was encoded above.
    const [key, createRevision, modRevision, value] = parse(body.subarray(start, end)) as EncodedEntry;
    entries.push({ key, createRevision, modRevision, value });
    start = end + 1;
  }
  return { ...header, entries };
}

type EncodedEntry = readonly [key: string, createRevision: Revision, modRevision: Revision, value: string];

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

/** @returns undefined for what is not JSON. */
function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    // The caller says what it expected.
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
