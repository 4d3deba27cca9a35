import { MOST_KEEPALIVE_SECONDS } from '../validate/limits.ts';
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

type FieldName = 'max_connections' | 'connection_rate' | 'connection_burst' | 'tcp_keepalive';

/** What an entry says about connections. */
export interface ConnectionFields {
  readonly limits: ConnectionLimits;
  /** Silence after which the system asks a client whether it is still there. Absent: it does not ask. */
  readonly keepAliveSeconds?: number;
}

/** What is wrong with one of the fields. */
export interface FieldFault {
  readonly field: FieldName;
  readonly text: string;
  readonly expected: string;
}

/** More would be no limit, and must fit a 32-bit count. */
const MOST_CONNECTIONS = 1_000_000_000;
/** Per second, and in a burst. */
const MOST_NEW = 1_000_000;

const wholeNumber = (most: number): string => `a whole number from 1 to ${most}`;

/** Reads them from an entry that passed the schema, which does not know these fields. */
export function readConnectionFields(
  entry: Omit<StreamProxyEntry, 'addr'>,
): ConnectionFields | { readonly fault: FieldFault } {
  const { max_connections: most, connection_rate: perSecond, connection_burst: burst } = entry;
  const { tcp_keepalive: keepAliveSeconds } = entry;
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
  if (keepAliveSeconds !== undefined && !isWhole(keepAliveSeconds, MOST_KEEPALIVE_SECONDS)) {
    return fault('tcp_keepalive', keepAliveSeconds, wholeNumber(MOST_KEEPALIVE_SECONDS));
  }
  return {
    ...(keepAliveSeconds === undefined ? {} : { keepAliveSeconds }),
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

function fault(field: FieldName, value: unknown, expected: string): { readonly fault: FieldFault } {
  return { fault: { field, text: `invalid ${field}: ${JSON.stringify(value)}`, expected } };
}
