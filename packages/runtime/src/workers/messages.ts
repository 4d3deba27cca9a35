import type { Revision } from '@apisix-ts/config';
import type { ErrorCode } from '@apisix-ts/errors';
import type { Overlap } from '../data-plane/routing-table.ts';
import type { FactChange } from '../facts/facts.ts';
import type { LogLevel } from '../log.ts';
import type { SessionTally } from '../metrics/session-tallies.ts';
import type { Drain } from './drain.ts';
import type { AnswerTo, QuestionName, QuestionOf } from './questions.ts';
import type { ListenerSpec, NodeIdentity } from './worker-link.ts';

/** From the main thread to a worker. A `call` is answered with `done`, or, if it asks something, with `answer`. */
export type ToWorker =
  | {
      readonly type: 'apply';
      readonly revision: Revision;
      readonly changes: readonly FactChange[];
      readonly isLastPart: boolean;
    }
  | { readonly type: 'ticket-keys'; readonly keys: readonly Uint8Array[] }
  | { readonly type: 'drains'; readonly drains: readonly Drain[] }
  | { readonly type: 'close-sessions'; readonly upstreamKey: string; readonly node: NodeIdentity }
  | { readonly type: 'settle'; readonly call: number }
  | { readonly type: 'listen'; readonly call: number; readonly listeners: readonly ListenerSpec[] }
  | { readonly type: 'hand-over'; readonly call: number }
  | { readonly type: 'drain'; readonly call: number; readonly graceMs: number }
  | { readonly type: 'stop'; readonly call: number }
  | {
      readonly type: 'ask';
      readonly call: number;
      readonly name: QuestionName;
      readonly question: QuestionOf<QuestionName>;
    };

export type FromWorker =
  | { readonly type: 'overlaps'; readonly overlaps: readonly Overlap[] }
  | {
      readonly type: 'log';
      readonly level: LogLevel;
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>>;
    }
  | { readonly type: 'node-failure'; readonly upstreamKey: string; readonly node: NodeIdentity }
  | { readonly type: 'access'; readonly lines: string }
  | { readonly type: 'tally'; readonly tally: SessionTally }
  | { readonly type: 'answer'; readonly call: number; readonly answer: AnswerTo<QuestionName> }
  | { readonly type: 'done'; readonly call: number; readonly error?: SentError };

/** A GatewayError between threads: an instance does not survive the copy. */
export interface SentError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly detail: Readonly<Record<string, unknown>>;
}
