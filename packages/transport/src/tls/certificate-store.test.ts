import { describe, expect, test } from 'vitest';
import { CertificateStore } from './certificate-store.ts';

/** The store does not look at PEM. */
const pairs = [{ cert: 'certificate', key: 'key' }];

describe('finding a certificate', () => {
  test.for<readonly [string, string]>([
    ['a.test', 'exact'],
    ['A.TEST', 'exact'],
    ['a.test.', 'exact'],
    ['b.a.test', 'wildcard'],
    ['c.b.a.test', 'longer wildcard'],
    ['d.c.b.a.test', 'catch-all'],
    ['x..', 'catch-all'],
    ['elsewhere.test', 'catch-all'],
    ['test', 'catch-all'],
    ['', 'catch-all'],
  ])('%s gets the %s one', ([name, id]) => {
    const store = new CertificateStore();
    store.set('catch-all', { serverNames: ['*'], pairs });
    store.set('wildcard', { serverNames: ['*.A.test'], pairs });
    store.set('longer wildcard', { serverNames: ['*.b.a.test.'], pairs });
    store.set('exact', { serverNames: ['other.test', 'a.test'], pairs });

    expect(store.find(name)?.id).toBe(id);
  });

  test.for(['a.b.test', 'test', '.test', '*', 'b.test.test'])(
    '%s is not covered by *.test, nor by anything else',
    (name) => {
      const store = new CertificateStore();
      store.set('1', { serverNames: ['*.test', 'c.test'], pairs });

      expect(store.find(name)).toBeUndefined();
    },
  );
});

describe('changing certificates', () => {
  test('of two entries for a name the lower id is served, whichever came first, and the conflict is told', () => {
    const store = new CertificateStore();
    store.set('2', { serverNames: ['a.test', 'b.test'], pairs });
    store.set('1', { serverNames: ['A.test'], pairs });

    expect(store.find('a.test')?.id).toBe('1');
    expect(store.conflicts()).toEqual([{ serverName: 'a.test', ids: ['1', '2'] }]);
    store.delete('1');
    expect(store.find('a.test')?.id).toBe('2');
    expect(store.conflicts()).toEqual([]);
  });

  test('an entry that is set again loses the names it had, and is a new one', () => {
    const store = new CertificateStore();
    store.set('1', { serverNames: ['a.test', 'b.test'], pairs });
    const before = store.find('b.test');

    store.set('1', { serverNames: ['b.test', 'b.test'], pairs });

    expect(store.find('a.test')).toBeUndefined();
    expect(store.find('b.test')).not.toBe(before);
    expect(store.conflicts()).toEqual([]);
    expect(store.size).toBe(1);
  });

  test('an entry that is set again as it is stays the same one', () => {
    const store = new CertificateStore();
    store.set('1', { serverNames: ['A.test'], pairs });
    const before = store.find('a.test');

    store.set('1', { serverNames: ['a.test'], pairs: structuredClone(pairs) });

    expect(store.find('a.test')).toBe(before);
  });

  test('deleting what is not there changes nothing', () => {
    const store = new CertificateStore();
    store.set('1', { serverNames: ['a.test'], pairs });

    store.delete('2');
    store.delete('1');
    store.delete('1');

    expect(store.find('a.test')).toBeUndefined();
    expect(store.size).toBe(0);
  });
});
