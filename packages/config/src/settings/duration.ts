import { GatewayError } from '@apisix-ts/errors';

/** Units from large to small, in milliseconds: a month is 30 days, a year 365. */
const units: readonly (readonly [unit: string, ms: number])[] = [
  ['y', 31_536_000_000],
  ['M', 2_592_000_000],
  ['w', 604_800_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
];

/**
 * A time of the settings in milliseconds. A number is seconds; text is `240s`, `1h 30m` or `500ms`: whole numbers with
 * units from large to small, the last of which may be left out for seconds.
 * @throws GatewayError `SETTINGS_INVALID`; the settings that this package hands out have been checked already.
 */
export function parseDurationMs(value: number | string): number {
  const read = readDuration(value);
  if (typeof read === 'string') {
    throw new GatewayError(
      'SETTINGS_INVALID',
      `${read} (expected a time such as 240s or 1h 30m, found ${JSON.stringify(value)})`,
    );
  }
  return read;
}

/** Milliseconds, or what is wrong in APISIX's words. */
export function readDuration(value: number | string): number | string {
  if (typeof value === 'number') return value >= 0 ? value * 1000 : `invalid data: ${value}`;
  if (value.trim() === '') return 'invalid data: ';

  let sumMs = 0;
  let next = 0; // The first unit that may still come.
  let rest = value.trim();
  while (rest !== '') {
    const [whole, digits, unit] = /^(\d+) *(ms|[a-zA-Z])? */.exec(rest) ?? [];
    if (whole === undefined) return `invalid data: ${rest.charAt(0)}`;

    const index = unit === undefined ? secondsIndex : units.findIndex(([name]) => name === unit);
    const [, ms] = units[index] ?? [];
    if (ms === undefined) return `invalid data: ${unit}`;
    if (unit === undefined && rest.length > whole.length) return `invalid data: ${rest.charAt(whole.length)}`;
    if (index < next) {
      return unit === undefined
        ? 'specific unit conflicts with the default unit second'
        : `unexpected unit: ${unit}`;
    }

    sumMs += Number(digits) * ms;
    next = index + 1;
    rest = rest.slice(whole.length);
  }
  return sumMs;
}

const secondsIndex = units.findIndex(([name]) => name === 's');
