/**
 * What a verb prints and how it ends. stdout carries the result alone (one JSON object with --json); logs,
 * progress and errors go to stderr. Exit codes: 0 done, 1 failed, 2 usage.
 */
import pino, { type Logger } from 'pino';
import { errorBody, toCestaError } from '../../shared/protocol/errors.ts';

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

/** Structured logs on stderr, one JSON object a line; the level comes from CESTA_LOG (default info). */
export function createLogger(name: string): Logger {
  return pino({ name, level: process.env['CESTA_LOG'] ?? 'info' }, pino.destination({ dest: 2, sync: true }));
}

/** Reports what went wrong and sets the exit code; usage errors are 2, everything else 1. */
export function reportFailure(thrown: unknown, json: boolean): void {
  const error = toCestaError(thrown);
  if (json) process.stderr.write(`${JSON.stringify({ error: errorBody(error) })}\n`);
  else process.stderr.write(`error ${error.code}: ${error.message}\n  ${error.hint}\n`);
  if (error.code === 'internal' && error.cause instanceof Error && error.cause.stack !== undefined) process.stderr.write(`${error.cause.stack}\n`);
  process.exitCode = error.code === 'usage.invalid' ? 2 : 1;
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
