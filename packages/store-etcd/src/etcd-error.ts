import { GatewayError, isGatewayError } from '@apisix-ts/errors';
import type { ErrorCode } from '@apisix-ts/errors';
import { status as statusEnum } from '@grpc/grpc-js';

/** What grpc-js's errors say. */
interface Failure {
  /** One of gRPC's status numbers. */
  readonly code: number;
  readonly details: string;
}

/** As plain numbers, for an error may carry any. */
const status: Readonly<Record<keyof typeof statusEnum, number>> = statusEnum;

/** What etcd or the way to it said, as the sentence of our code. `detail` has `endpoint` and `reason`. */
export function etcdError(error: unknown, endpoint: string, timeoutMs: number): GatewayError {
  const failure = failureOf(error);
  const code = codeOf(failure);
  const reason = reasonOf(failure, timeoutMs);
  return new GatewayError(code, `etcd at ${endpoint} ${sentences[code]}: ${reason}`, {
    cause: error,
    detail: { endpoint, reason },
  });
}

function failureOf(error: unknown): Failure {
  if (typeof error === 'object' && error !== null && 'code' in error && 'details' in error) {
    const { code, details } = error;
    if (typeof code === 'number' && typeof details === 'string') return { code, details };
  }
  return { code: status.UNKNOWN, details: String(error) };
}

type EtcdErrorCode = Extract<
  ErrorCode,
  | 'STORE_UNREACHABLE'
  | 'STORE_DENIED'
  | 'STORE_FULL'
  | 'STORE_VALUE_TOO_LARGE'
  | 'STORE_COMPACTED'
  | 'STORE_REWOUND'
>;

const sentences: Readonly<Record<EtcdErrorCode, string>> = {
  STORE_UNREACHABLE: 'does not answer',
  STORE_DENIED: 'refuses us',
  STORE_FULL: 'takes no more data',
  STORE_VALUE_TOO_LARGE: 'refuses a value of this size',
  STORE_COMPACTED: 'no longer has the history asked for',
  STORE_REWOUND: 'is behind the revision seen before',
};

/** etcd reuses gRPC's few status numbers, so its text decides where one number means several things. */
function codeOf({ code, details }: Failure): EtcdErrorCode {
  switch (code) {
    case status.UNAUTHENTICATED:
    case status.PERMISSION_DENIED:
      return 'STORE_DENIED';
    case status.INVALID_ARGUMENT:
    case status.FAILED_PRECONDITION:
      if (details.includes('request is too large')) return 'STORE_VALUE_TOO_LARGE';
      return isDenial(details) ? 'STORE_DENIED' : 'STORE_UNREACHABLE';
    case status.RESOURCE_EXHAUSTED:
      if (details.includes('larger than max')) return 'STORE_VALUE_TOO_LARGE';
      return details.includes('space exceeded') ? 'STORE_FULL' : 'STORE_UNREACHABLE';
    case status.OUT_OF_RANGE:
      return details.includes('compacted') ? 'STORE_COMPACTED' : 'STORE_REWOUND';
    default:
      return 'STORE_UNREACHABLE';
  }
}

/** Is that how etcd refuses somebody, in a status or in the end of a watch? */
export function isDenial(text: string): boolean {
  return /permission denied|auth|user name/.test(text);
}

function reasonOf({ code, details }: Failure, timeoutMs: number): string {
  if (code === status.DEADLINE_EXCEEDED) return `nothing within ${timeoutMs} ms`;
  return details.replace(/^No connection established\. Last error: (Error: )?|\. Resolution note:.*$/gs, '');
}

/** Why, without the sentence around it. */
export function reasonIn(error: unknown): string {
  if (isGatewayError(error) && typeof error.detail['reason'] === 'string') return error.detail['reason'];
  return error instanceof Error ? error.message : String(error);
}

/** Nothing was done, and a new token may help. */
export function isStaleToken(error: unknown): boolean {
  const { code, details } = failureOf(error);
  return code === status.UNAUTHENTICATED || details.includes('revision of auth store is old');
}
