import type { StoreWriter } from '@apisix-ts/config';
import type { ErrorCode } from '@apisix-ts/errors';
import type { GatewayHeritage } from '@apisix-ts/runtime';

/** What a process leaves to the one that takes its place. Sockets are descriptors. */
export interface Heritage {
  readonly gateway: GatewayHeritage;
  /** The sockets of what listens beside the data plane, by its address. */
  readonly services: ReadonlyMap<string, number>;
}

/** From the process that serves to the one that it has started in its place. */
export type ToSuccessor =
  /** First of all. Descriptors are those of the successor. */
  | { readonly type: 'inherit'; readonly heritage: Heritage }
  /** The store is closed here. */
  | { readonly type: 'store-released' }
  | StoreCall;

/** The other way. */
export type ToPredecessor =
  | { readonly type: 'wants-store' }
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly code: ErrorCode; readonly message: string }
  | StoreAnswer;

/** A request that came before the store changed hands, and has to be carried out by who has it now. */
export interface StoreCall {
  readonly type: 'store-call';
  readonly call: number;
  readonly method: keyof StoreWriter;
  readonly args: readonly unknown[];
}

export interface StoreAnswer {
  readonly type: 'store-answer';
  readonly call: number;
  readonly value?: unknown;
  readonly error?: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly detail: Readonly<Record<string, unknown>>;
  };
}
