/** A value as nginx writes it: `-` where there is none, and quotes, backslashes and unprintable bytes as `\xNN`. */
export function logText(value: string | number | undefined): string {
  if (value === undefined || value === '') return '-';
  if (typeof value === 'number') return String(value);
  return value.replace(/["\\]|[^\x20-\x7e]/gu, (character) =>
    [...Buffer.from(character)]
      .map((byte) => `\\x${byte.toString(16).padStart(2, '0').toUpperCase()}`)
      .join(''),
  );
}

/** `0.042`, as nginx writes times. */
export function logSeconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `23/Nov/2026:03:11:10 +0100` */
export function localTime(time: Date): string {
  const date = `${two(time.getDate())}/${months[time.getMonth()]}/${time.getFullYear()}`;
  return `${date}:${clock(time)} ${zone(time)}`;
}

/** `2026-11-23T03:11:10+01:00` */
export function isoTime(time: Date): string {
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${date}T${clock(time)}${zone(time).replace(/(\d\d)$/, ':$1')}`;
}

function clock(time: Date): string {
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

function zone(time: Date): string {
  const minutes = -time.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${two(size % 60)}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
