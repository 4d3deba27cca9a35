import { Buffer } from 'node:buffer';
import type { JsonSchema } from '../validate/json-schema.ts';
import type { ActiveChecks } from './health-checks.ts';

/** What a probe sends: text, as UTF-8, or bytes as pairs of hex digits. */
export type ProbeBytes = string | { readonly hex: string };

/** What the answer to a probe must begin with or contain. A text alone is what it must begin with. */
export type ProbeExpectation =
  | string
  | ({ readonly match?: 'start' | 'anywhere' } & ({ readonly text: string } | { readonly hex: string }));

/** Bytes. */
const LONGEST_SEND = 4096;
const LONGEST_EXPECT = 1024;

const bytesRules = { type: ['string', 'object'], additionalProperties: false };

export const probeBytesSchema: JsonSchema = { ...bytesRules, properties: { hex: { type: 'string' } } };

export const probeExpectationSchema: JsonSchema = {
  ...bytesRules,
  properties: {
    text: { type: 'string' },
    hex: { type: 'string' },
    match: { type: 'string', enum: ['start', 'anywhere'] },
  },
};

/** Of values that `checkProbe` found to be good. */
export function toProbeBytes(written: ProbeBytes | ProbeExpectation): Uint8Array {
  if (typeof written === 'string') return Buffer.from(written);
  return 'hex' in written ? fromHex(written.hex) : Buffer.from(written.text);
}

/** What the schema cannot say about probes that send and expect. @returns what is wrong. */
export function checkProbe({ type, send, expect }: ActiveChecks): string | undefined {
  if (send === undefined && expect === undefined) return undefined;
  if (type !== 'tcp' && type !== 'udp') {
    return `\`send\` and \`expect\` are for health checks of type tcp and udp, not ${type}`;
  }
  return checkBytes('send', send, 0, LONGEST_SEND) ?? checkBytes('expect', expect, 1, LONGEST_EXPECT);
}

function checkBytes(
  name: 'send' | 'expect',
  written: ProbeBytes | ProbeExpectation | undefined,
  least: number,
  most: number,
): string | undefined {
  if (written === undefined) return undefined;
  const path = `\`checks.active.${name}\``;
  if (typeof written === 'object') {
    const forms = ['text', 'hex'].filter((form) => form in written);
    if (forms.length !== 1) {
      const choice =
        name === 'send' ? 'a text or an object with `hex`' : 'a text, or an object with `text` or `hex`';
      return `${path} has to be ${choice}`;
    }
    if ('hex' in written && !isHex(written.hex)) {
      return `${path} has to have pairs of hex digits in \`hex\`, got ${JSON.stringify(written.hex)}`;
    }
  }
  const { length } = toProbeBytes(written);
  if (length >= least && length <= most) return undefined;
  return `${path} has to have ${least} to ${most} bytes, got ${length}`;
}

function isHex(text: string): boolean {
  return /^(?:[0-9a-f]{2})*$/i.test(withoutSpaces(text));
}

function fromHex(text: string): Uint8Array {
  return Buffer.from(withoutSpaces(text), 'hex');
}

function withoutSpaces(text: string): string {
  return text.replaceAll(' ', '');
}
