import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { Attributes } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';

/** A span as tests look at it. */
export interface PlainSpan {
  readonly name: string;
  readonly kind: string | undefined;
  readonly traceId: string;
  readonly spanId: string;
  /** Absent: it is a root. */
  readonly parent?: string;
  readonly status: string | undefined;
  readonly attributes: Attributes;
}

export function toPlainSpan(span: ReadableSpan): PlainSpan {
  const { traceId, spanId } = span.spanContext();
  return {
    name: span.name,
    kind: SpanKind[span.kind],
    traceId,
    spanId,
    ...(span.parentSpanContext === undefined ? {} : { parent: span.parentSpanContext.spanId }),
    status: SpanStatusCode[span.status.code],
    attributes: span.attributes,
  };
}
