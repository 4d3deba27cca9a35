import { pathToFileURL } from 'node:url';
import { GatewayError } from '@apisix-ts/errors';
import { trace } from '@opentelemetry/api';
import type { Tracer } from '@opentelemetry/api';
import { SessionSpans } from './session-spans.ts';
import type { SessionArrival } from './session-spans.ts';

/** How sessions become spans. Plain data: it goes to each worker. */
export interface TracingOptions {
  /** Absolute path of a module that registers a tracer provider, imported once a thread. Absent: there is one already. */
  readonly register?: string;
  /** The share of sessions that are traced, 0 to 1. */
  readonly sampleRatio: number;
}

/** Makes spans of sessions, through whatever tracer provider is registered in this thread. */
export class Tracing {
  readonly #tracer: Tracer;
  readonly #sampleRatio: number;
  readonly #random: () => number;
  readonly #shutdown: (() => unknown) | undefined;

  constructor(sampleRatio: number, random: () => number, shutdown: (() => unknown) | undefined) {
    this.#tracer = trace.getTracer('@apisix-ts/runtime');
    this.#sampleRatio = sampleRatio;
    this.#random = random;
    this.#shutdown = shutdown;
  }

  /** @returns undefined for a session that is not traced. */
  begin(arrival: SessionArrival): SessionSpans | undefined {
    return this.#random() < this.#sampleRatio ? new SessionSpans(this.#tracer, arrival) : undefined;
  }

  /** Lets the registered module send what it still has. To be called once, when the last session has ended. */
  async close(): Promise<void> {
    await this.#shutdown?.();
  }
}

/**
 * Imports the module that registers a provider, if there is one.
 * @param random from 0 up to, but not including, 1. Rejects with `TRACING_MODULE_FAILED`.
 */
export async function openTracing(
  { register, sampleRatio }: TracingOptions,
  random: () => number,
): Promise<Tracing> {
  return new Tracing(sampleRatio, random, register === undefined ? undefined : await runModule(register));
}

/** @returns its `shutdown`, if it has one. */
async function runModule(path: string): Promise<(() => unknown) | undefined> {
  try {
    const module: unknown = await import(pathToFileURL(path).href);
    const { shutdown } = module as { readonly shutdown?: unknown }; // a module is an object
    return typeof shutdown === 'function' ? () => shutdown() as unknown : undefined;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new GatewayError(
      'TRACING_MODULE_FAILED',
      `nginx_config.stream.tracing.register: expected a module that can be imported, found ${path}: ${reason}`,
      { cause, detail: { module: path, reason } },
    );
  }
}
