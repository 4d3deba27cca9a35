export type LogLevel = 'debug' | 'info' | 'notice' | 'warn' | 'error';

/** Where messages go: a fixed sentence, and the facts beside it. */
export type Log = (level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>) => void;
