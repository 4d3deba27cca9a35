import { makeCertificate } from '@apisix-ts/testkit';
import type { TestCertificate } from '@apisix-ts/testkit';
import { beforeAll, describe, expect, test } from 'vitest';
import { CertificateDates } from './certificate-dates.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

let pair: TestCertificate;
let longer: TestCertificate;

beforeAll(async () => {
  [pair, longer] = await Promise.all([
    makeCertificate({ names: ['a.test', '*.b.test'], days: 30 }),
    makeCertificate({ names: ['c.test'], days: 60 }),
  ]);
});

function scene(): {
  dates: CertificateDates;
  logged: string[];
  pass: (days: number) => void;
} {
  let nowMs = Date.now();
  const logged: string[] = [];
  const dates = new CertificateDates(
    (level, message, { names } = {}) => {
      logged.push(`${level} ${message}${Array.isArray(names) ? ` ${names.join(' ')}` : ''}`);
    },
    () => nowMs,
  );
  return {
    dates,
    logged,
    pass(days) {
      nowMs += days * DAY_MS;
      dates.check();
    },
  };
}

describe('a certificate', () => {
  test('is told of when it is about to expire, when it has, and when it was renewed, once each', () => {
    const { dates, logged, pass } = scene();
    dates.set('ssls/1', [pair], ['a.test']);
    expect(logged).toEqual([]);

    pass(15);
    expect(logged).toEqual([]);
    pass(2);
    pass(1);
    expect(logged).toEqual(['warn a certificate expires soon']);
    pass(13);
    pass(1);
    expect(logged.slice(1)).toEqual(['error a certificate has expired']);

    dates.set('ssls/1', [longer], ['c.test']);
    expect(logged.slice(2)).toEqual(['notice a certificate is valid']);
  });

  test('is told of when it is not valid yet', () => {
    const { dates, logged, pass } = scene();
    pass(-2);

    dates.set('ssls/1', [pair], []);

    expect(logged).toEqual(['warn a certificate is not valid yet']);
  });

  test('lives as long as the one of several that ends first', () => {
    const { dates } = scene();

    dates.set('ssls/1', [longer, pair], []);

    const [life] = dates.lives;
    expect(Math.round(((life?.validToMs ?? 0) - Date.now()) / DAY_MS)).toBe(30);
  });

  test('is forgotten when it is not used any more', () => {
    const { dates, logged, pass } = scene();
    dates.set('ssls/1', [pair], []);

    dates.delete('ssls/1');
    pass(40);

    expect([dates.lives, logged]).toEqual([[], []]);
  });
});

describe('a name', () => {
  test.for([
    ['a.test', true],
    ['*.b.test', true],
    ['x.b.test', true],
    ['c.test', true],
    ['*', true],
    ['b.test', false],
    ['*.test', false],
  ] as const)('%s is covered by one of the certificates: %s', ([name, isCovered]) => {
    const { dates, logged } = scene();

    dates.set('ssls/1', [pair, longer], [name]);

    expect(logged).toEqual(
      isCovered ? [] : [`warn a certificate is not for a name that it is shown under ${name}`],
    );
  });
});
