/**
 * What a verb prints and how it ends. stdout carries the result alone (one JSON object with --json); logs,
 * progress and errors go to stderr. Exit codes: 0 done, 1 failed, 2 usage.
 */
import pino, { type DestinationStream, type Logger } from 'pino';
import { errorBody, hintOf } from '../../shared/protocol/error-table.ts';
import { CestaError, toCestaError } from '../../shared/protocol/errors.ts';

export interface OutputOptions {
  readonly json?: boolean;
}

/** Prints the result: as JSON, or in words. */
export function print(options: OutputOptions, value: unknown, words: string): void {
  process.stdout.write(options.json === true ? `${JSON.stringify(value)}\n` : `${words}\n`);
}

/** Credentials of an operator, which nobody sees a second time. */
export function describeCredentials({ name, token, otpauth }: { readonly name: string; readonly token: string; readonly otpauth: string }): string {
  return [`Operator ${name}, shown only now:`, `  token          ${token}`, `  authenticator  ${otpauth}`].join('\n');
}

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** What must not get into a log, whatever object it hides in. */
const secrets = ['token', 'authorization', 'password', 'secret', 'session'].flatMap((field) => [field, `*.${field}`, `*.*.${field}`, `*.*.*.${field}`]);

/** Structured logs on stderr, one JSON object a line. */
export function createLogger(name: string, level: LogLevel = levelOf(process.env['CESTA_LOG_LEVEL']), to: DestinationStream = pino.destination({ dest: 2, sync: true })): Logger {
  return pino({ name, level, redact: { paths: secrets, censor: '***' } }, to);
}

/** @throws CestaError `config.invalid` */
function levelOf(text = 'info'): LogLevel {
  const level = logLevels.find((known) => known === text);
  if (level === undefined) throw new CestaError('config.invalid', `CESTA_LOG_LEVEL: expected one of ${logLevels.join(', ')}, got ${text}`);
  return level;
}

/** Reports what went wrong and sets the exit code; usage errors are 2, everything else 1. */
export function reportFailure(thrown: unknown, json: boolean): void {
  const error = toCestaError(thrown);
  if (json) process.stderr.write(`${JSON.stringify({ error: errorBody(error) })}\n`);
  else process.stderr.write(`error ${error.code}: ${error.message}\n  ${hintOf(error)}\n`);
  if (error.code === 'internal' && error.cause instanceof Error && error.cause.stack !== undefined) process.stderr.write(`${error.cause.stack}\n`);
  process.exitCode = error.code === 'usage.invalid' ? 2 : 1;
}

/** What a process is asked to do about its end: the first signal, and the second. */
export interface StopSignals {
  readonly first: Promise<void>;
  readonly second: Promise<void>;
}

/** Hears SIGINT and SIGTERM; a third one ends the process at once. */
export function stopSignals(): StopSignals {
  let heard = 0;
  const resolvers: (() => void)[] = [];
  const [first, second] = [0, 1].map((index) => new Promise<void>((resolve) => void (resolvers[index] = resolve)));
  const hear = (): void => {
    if (heard >= resolvers.length) process.exit(130);
    resolvers[heard]();
    heard += 1;
  };
  process.on('SIGINT', hear).on('SIGTERM', hear);
  return { first, second };
}

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
export function untilStopped(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const stop = (signal: NodeJS.Signals): void => {
      process.once(signal, () => process.exit(130));
      resolve(signal);
    };
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
  });
}
