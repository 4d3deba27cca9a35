import protobuf from 'protobufjs/light.js';

/**
 * The part of etcd's v3 gRPC API that a configuration store needs; names are ours, numbers are etcd's
 * (`api/etcdserverpb/rpc.proto`, unchanged from 3.4 on). Written out here rather than read from a `.proto` file, so that
 * nothing has to lie beside the built program. Enumerations travel as their numbers.
 */
const messages: Readonly<
  Record<string, Readonly<Record<string, readonly [type: string, id: number, rule?: 'repeated']>>>
> = {
  Header: { clusterId: ['uint64', 1], revision: ['int64', 3] },
  KeyValue: {
    key: ['bytes', 1],
    createRevision: ['int64', 2],
    modRevision: ['int64', 3],
    value: ['bytes', 5],
    lease: ['int64', 6],
  },
  Event: { type: ['int32', 1], kv: ['KeyValue', 2] },

  RangeRequest: {
    key: ['bytes', 1],
    rangeEnd: ['bytes', 2],
    limit: ['int64', 3],
    revision: ['int64', 4],
    keysOnly: ['bool', 8],
    countOnly: ['bool', 9],
  },
  RangeResponse: {
    header: ['Header', 1],
    kvs: ['KeyValue', 2, 'repeated'],
    more: ['bool', 3],
    count: ['int64', 4],
  },
  PutRequest: { key: ['bytes', 1], value: ['bytes', 2], lease: ['int64', 3], prevKv: ['bool', 4] },
  PutResponse: { header: ['Header', 1], prevKv: ['KeyValue', 2] },
  DeleteRequest: { key: ['bytes', 1], prevKv: ['bool', 3] },
  DeleteResponse: { header: ['Header', 1], prevKvs: ['KeyValue', 3, 'repeated'] },

  Compare: { result: ['int32', 1], target: ['int32', 2], key: ['bytes', 3], modRevision: ['int64', 6] },
  Operation: { range: ['RangeRequest', 1], put: ['PutRequest', 2], delete: ['DeleteRequest', 3] },
  Outcome: { range: ['RangeResponse', 1], put: ['PutResponse', 2], delete: ['DeleteResponse', 3] },
  TxnRequest: {
    compare: ['Compare', 1, 'repeated'],
    success: ['Operation', 2, 'repeated'],
    failure: ['Operation', 3, 'repeated'],
  },
  TxnResponse: { header: ['Header', 1], succeeded: ['bool', 2], responses: ['Outcome', 3, 'repeated'] },

  WatchCreate: { key: ['bytes', 1], rangeEnd: ['bytes', 2], startRevision: ['int64', 3] },
  WatchProgress: {},
  WatchRequest: { create: ['WatchCreate', 1], progress: ['WatchProgress', 3] },
  WatchResponse: {
    header: ['Header', 1],
    created: ['bool', 3],
    canceled: ['bool', 4],
    compactRevision: ['int64', 5],
    cancelReason: ['string', 6],
    events: ['Event', 11, 'repeated'],
  },

  LeaseGrantRequest: { ttlSeconds: ['int64', 1] },
  LeaseGrantResponse: { header: ['Header', 1], id: ['int64', 2] },
  AuthenticateRequest: { name: ['string', 1], password: ['string', 2] },
  AuthenticateResponse: { header: ['Header', 1], token: ['string', 2] },
};

/** A 64 bit number as decimal text: a lease or cluster id does not fit a JavaScript number, a revision does. */
export type Int64 = string;

export interface Header {
  readonly clusterId: Int64;
  readonly revision: Int64;
}

export interface KeyValue {
  readonly key: Buffer;
  readonly createRevision: Int64;
  readonly modRevision: Int64;
  readonly value: Buffer;
  /** `0`: none, the key stays. */
  readonly lease: Int64;
}

export interface RangeRequest {
  readonly key: Buffer;
  readonly rangeEnd?: Buffer;
  readonly limit?: number;
  /** 0 or absent: the latest. */
  readonly revision?: number;
  readonly keysOnly?: boolean;
  readonly countOnly?: boolean;
}

export interface RangeResponse {
  readonly header: Header;
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
  /** Keys in the range, whatever the limit. */
  readonly count: Int64;
}

export interface PutRequest {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly lease?: Int64;
  readonly prevKv: true;
}

export interface PutResponse {
  readonly header: Header;
  readonly prevKv: KeyValue | null;
}

export interface Operation {
  readonly range?: RangeRequest;
  readonly put?: PutRequest;
  readonly delete?: DeleteRequest;
}

export interface TxnRequest {
  readonly compare?: readonly {
    readonly result: typeof EQUAL;
    readonly target: typeof MOD_REVISION;
    readonly key: Buffer;
    readonly modRevision: number;
  }[];
  readonly success: readonly Operation[];
  readonly failure?: readonly Operation[];
}

export interface TxnResponse {
  readonly header: Header;
  readonly succeeded: boolean;
  /** The `header` inside these is empty. */
  readonly responses: readonly {
    readonly range?: RangeResponse | null;
    readonly put?: PutResponse | null;
    readonly delete?: DeleteResponse | null;
  }[];
}

export interface WatchRequest {
  readonly create?: {
    readonly key: Buffer;
    readonly rangeEnd: Buffer;
    readonly startRevision: number;
  };
  readonly progress?: Record<string, never>;
}

export interface WatchResponse {
  readonly header: Header;
  readonly created: boolean;
  readonly canceled: boolean;
  /** Not `0`: the history asked for is gone, and this is where it begins now. */
  readonly compactRevision: Int64;
  readonly cancelReason: string;
  readonly events: readonly { readonly type: number; readonly kv: KeyValue }[];
}

/** The numbers of `Compare.result`, `Compare.target` and `Event.type` that we use. */
export const EQUAL = 0;
export const MOD_REVISION = 2;
export const DELETE = 1;

/** One call of the API, and how its two sides look on the wire. */
export interface Method<Request, Response> {
  readonly path: string;
  readonly serialize: (request: Request) => Buffer;
  readonly deserialize: (bytes: Buffer) => Response;
}

const root = new protobuf.Root();
for (const [name, fields] of Object.entries(messages)) {
  const type = new protobuf.Type(name);
  for (const [field, [fieldType, id, rule]] of Object.entries(fields))
    type.add(new protobuf.Field(field, id, fieldType, rule));
  root.add(type);
}

function method<Request extends object, Response>(
  path: string,
  request: string,
  response: string,
): Method<Request, Response> {
  const requestType = root.lookupType(request);
  const responseType = root.lookupType(response);
  return {
    path: `/etcdserverpb.${path}`,
    serialize: (message) => Buffer.from(requestType.encode(message).finish()),
    deserialize: (bytes) => {
      const message = responseType.toObject(responseType.decode(bytes), { longs: String, defaults: true });
      // The table gives each type the fields of the interface of its name.
      return message as Response;
    },
  };
}

export interface DeleteRequest {
  readonly key: Buffer;
  readonly prevKv: true;
}

export interface DeleteResponse {
  readonly header: Header;
  readonly prevKvs: readonly KeyValue[];
}

export interface EtcdApi {
  readonly range: Method<RangeRequest, RangeResponse>;
  readonly put: Method<PutRequest, PutResponse>;
  readonly delete: Method<DeleteRequest, DeleteResponse>;
  readonly txn: Method<TxnRequest, TxnResponse>;
  readonly watch: Method<WatchRequest, WatchResponse>;
  readonly leaseGrant: Method<{ readonly ttlSeconds: number }, { readonly id: Int64 }>;
  readonly authenticate: Method<
    { readonly name: string; readonly password: string },
    { readonly token: string }
  >;
}

export const api: EtcdApi = {
  range: method('KV/Range', 'RangeRequest', 'RangeResponse'),
  put: method('KV/Put', 'PutRequest', 'PutResponse'),
  delete: method('KV/DeleteRange', 'DeleteRequest', 'DeleteResponse'),
  txn: method('KV/Txn', 'TxnRequest', 'TxnResponse'),
  watch: method('Watch/Watch', 'WatchRequest', 'WatchResponse'),
  leaseGrant: method('Lease/LeaseGrant', 'LeaseGrantRequest', 'LeaseGrantResponse'),
  authenticate: method('Auth/Authenticate', 'AuthenticateRequest', 'AuthenticateResponse'),
};
