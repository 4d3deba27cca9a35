import type { WorkerCounts } from '../metrics/worker-counts.ts';
import type { SessionFilter } from '../data-plane/session-filter.ts';
import type { SessionList, SessionQuery } from '../data-plane/session-list.ts';
import type { ConnectionExplanation, ExplainQuestion } from '../data-plane/explain-connection.ts';

/** What a worker can be asked at any time, beside its work. Plain data, there and back. */
export interface Questions {
  /** What would become of this connection? */
  readonly explain: { readonly question: ExplainQuestion; readonly answer: ConnectionExplanation };
  /** What did it count since it told last? What open sessions moved until now is in the shared counters then. */
  readonly counts: { readonly question: undefined; readonly answer: WorkerCounts };
  /** Which sessions are open? */
  readonly sessions: { readonly question: SessionQuery; readonly answer: SessionList };
  /** Closes these sessions: how many are there? */
  readonly closeSessions: { readonly question: SessionFilter; readonly answer: number };
  /** Which sockets do its listeners for connections have? Descriptors, by the listeners' names. */
  readonly sockets: { readonly question: undefined; readonly answer: ReadonlyMap<string, readonly number[]> };
}

export type QuestionName = keyof Questions;
export type QuestionOf<N extends QuestionName> = Questions[N]['question'];
export type AnswerTo<N extends QuestionName> = Questions[N]['answer'];

/** Those who answer. Whoever takes long leaves the sessions their turns. */
export type Answerers = {
  readonly [N in QuestionName]: (question: QuestionOf<N>) => Promise<AnswerTo<N>>;
};

export function answer<N extends QuestionName>(
  answerers: Answerers,
  name: N,
  question: QuestionOf<N>,
): Promise<AnswerTo<N>> {
  return answerers[name](question);
}
