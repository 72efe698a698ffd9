/** Processes that a bench measures or measures with: each answers one command at a time. */
import { fork } from 'node:child_process';
import { z } from 'zod';
import { CestaError, toCestaError } from '../../shared/protocol/errors.ts';
import { scriptExecArgv } from '../child-script.ts';

const replySchema = z.union([z.strictObject({ result: z.unknown() }), z.strictObject({ failure: z.string() })]);

export interface Child {
  /** Resolves to what the process answers. @throws CestaError `internal` when it fails or ends */
  ask<T>(command: object, schema: z.ZodType<T>): Promise<T>;
  stop(): Promise<void>;
}

/** @param script path of one that calls {@link answer} */
export function startChild(script: string): Child {
  const child = fork(script, { execArgv: ['--expose-gc', ...scriptExecArgv()], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = new Promise<number | null>((resolve) => void child.once('close', resolve));
  return {
    async ask(command, schema) {
      const reply = new Promise((resolve) => void child.once('message', resolve));
      child.send(command);
      const parsed = replySchema.parse(await Promise.race([reply, ended.then((code) => ({ failure: `the process ended with ${code}` }))]));
      if ('failure' in parsed) throw new CestaError('internal', `${script}: ${parsed.failure}`);
      return schema.parse(parsed.result);
    },
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Has this process answer commands until its parent ends it. */
export function answer<T>(schema: z.ZodType<T>, perform: (command: T) => Promise<unknown>): void {
  process.on('message', (message) => {
    void perform(schema.parse(message)).then(
      (result) => process.send?.({ result: result ?? null }),
      (error: unknown) => process.send?.({ failure: toCestaError(error).message }),
    );
  });
  process.once('disconnect', () => process.exit());
}

export const usageSchema = z.strictObject({ cpuMs: z.number(), rssBytes: z.number(), heapBytes: z.number() });

/** Processor time that looking at the usage has taken: it is nobody's work. */
let lookingMs = 0;

/** Processor time of this process so far, and its memory after garbage was collected. */
export async function usage(): Promise<z.infer<typeof usageSchema>> {
  const cpuMs = processorMs();
  const workMs = cpuMs - lookingMs;
  for (let pass = 0; pass < 3; pass += 1) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { rss, heapUsed } = process.memoryUsage();
  lookingMs += processorMs() - cpuMs;
  return { cpuMs: workMs, rssBytes: rss, heapBytes: heapUsed };
}

function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
