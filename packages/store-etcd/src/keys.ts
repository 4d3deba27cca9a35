import type { StoreEntry } from '@apisix-ts/config';
import type { KeyValue } from './etcd-api.ts';

/** A range of etcd's keys: from `key` up to, and without, `rangeEnd`. */
export interface KeyRange {
  readonly key: Buffer;
  readonly rangeEnd: Buffer;
}

/** Translates between a store's keys and etcd's, which begin with the prefix and a slash. */
export interface Keys {
  /** Everything that begins with this relative text; all of ours if it is empty. */
  range(start?: string): KeyRange;
  absolute(key: string): Buffer;
  relative(key: Buffer): string;
  entry(kv: KeyValue): StoreEntry;
}

export function createKeys(prefix: string): Keys {
  const root = `${prefix.replace(/\/+$/, '')}/`;
  const rootBytes = Buffer.byteLength(root);
  const absolute = (key: string): Buffer => Buffer.from(root + key);
  const relative = (key: Buffer): string => key.toString('utf8', rootBytes);
  return {
    range(start = '') {
      const key = absolute(start);
      return { key, rangeEnd: rangeEnd(key) };
    },
    absolute,
    relative,
    entry: (kv) => ({
      key: relative(kv.key),
      value: kv.value.toString('utf8'),
      createRevision: Number(kv.createRevision),
      modRevision: Number(kv.modRevision),
      ...(kv.lease !== '0' && { expires: true }),
    }),
  };
}

/** The first key after all those that begin with `key`. Text never has the byte 255, so the last one can grow. */
function rangeEnd(key: Buffer): Buffer {
  const end = Buffer.from(key);
  end.writeUInt8(end.readUInt8(end.length - 1) + 1, end.length - 1);
  return end;
}
