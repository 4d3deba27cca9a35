/**
 * What an operator would give `tracing.register`, for tests: the real SDK, with spans as lines of JSON in the file that
 * the environment names. They are written when the gateway lets them: at `shutdown`.
 */
import { appendFileSync } from 'node:fs';
import { trace } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { toPlainSpan } from './plain-span.ts';

const exporter = new InMemorySpanExporter();
trace.setGlobalTracerProvider(
  new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
);

export async function shutdown(): Promise<void> {
  const file = process.env['TEST_SPANS_FILE'];
  if (file === undefined) throw new TypeError('TEST_SPANS_FILE has to name a file');
  for (const span of exporter.getFinishedSpans())
    appendFileSync(file, `${JSON.stringify(toPlainSpan(span))}\n`);
}
