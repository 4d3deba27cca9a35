import type { StreamProxyEntry } from './settings.ts';

/** What a TCP listener lets in. Absent: no limit. */
export interface ConnectionLimits {
  /** Sessions at a time, of all workers together. */
  readonly maxConnections?: number;
  readonly connectionRate?: ConnectionRate;
}

/** A bucket of `burst` connections that fills again at `perSecond`. */
export interface ConnectionRate {
  readonly perSecond: number;
  readonly burst: number;
}

type LimitField = 'max_connections' | 'connection_rate' | 'connection_burst';

/** What is wrong with one of the fields. */
export interface LimitFault {
  readonly field: LimitField;
  readonly text: string;
  readonly expected: string;
}

/** More would be no limit, and must fit a 32-bit count. */
const MOST_CONNECTIONS = 1_000_000_000;
/** Per second, and in a burst. */
const MOST_NEW = 1_000_000;

const wholeNumber = (most: number): string => `a whole number from 1 to ${most}`;

/** Reads the limits of an entry that passed the schema, which does not know these fields. */
export function readConnectionLimits(
  entry: Omit<StreamProxyEntry, 'addr'>,
): { readonly limits: ConnectionLimits } | { readonly fault: LimitFault } {
  const { max_connections: most, connection_rate: perSecond, connection_burst: burst } = entry;
  if (most !== undefined && !isWhole(most, MOST_CONNECTIONS)) {
    return fault('max_connections', most, wholeNumber(MOST_CONNECTIONS));
  }
  if (perSecond !== undefined && !(typeof perSecond === 'number' && perSecond > 0 && perSecond <= MOST_NEW)) {
    return fault('connection_rate', perSecond, `a number above 0, at most ${MOST_NEW}`);
  }
  if (burst !== undefined && !isWhole(burst, MOST_NEW)) {
    return fault('connection_burst', burst, wholeNumber(MOST_NEW));
  }
  if (burst !== undefined && perSecond === undefined) {
    return fault('connection_burst', burst, 'connection_rate beside it');
  }
  return {
    limits: {
      ...(most === undefined ? {} : { maxConnections: most }),
      ...(perSecond === undefined
        ? {}
        : { connectionRate: { perSecond, burst: burst ?? Math.ceil(perSecond) } }),
    },
  };
}

function isWhole(value: unknown, most: number): boolean {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= most;
}

function fault(field: LimitField, value: unknown, expected: string): { readonly fault: LimitFault } {
  return { fault: { field, text: `invalid ${field}: ${JSON.stringify(value)}`, expected } };
}
