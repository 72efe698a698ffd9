/** Questions on a terminal, on stderr, since stdout carries results alone. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { CestaError } from '../../shared/protocol/errors.ts';

export interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream;
}

/**
 * Asks and resolves to the line that is typed; a hidden one is not shown.
 * @param instead how else the answer can be given
 * @throws CestaError `usage.invalid` where nobody can be asked, or the question is left
 */
export async function ask(question: string, { hidden, instead }: { readonly hidden: boolean; readonly instead: string }, { input, output }: Terminal = { input: process.stdin, output: process.stderr }): Promise<string> {
  if (input.isTTY !== true) throw new CestaError('usage.invalid', `${question}: expected a terminal to ask on, or ${instead}, got neither`);
  output.write(`${question}: `);
  const echo = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      if (!hidden) output.write(chunk);
      done();
    },
  });
  const lines = createInterface({ input, output: echo, terminal: true });
  const left = new Promise<never>((_resolve, reject) => lines.once('close', () => reject(new CestaError('usage.invalid', `${question}: expected an answer, got none`))));
  try {
    return (await Promise.race([lines.question(''), left])).trim();
  } finally {
    lines.close();
    if (hidden) output.write('\n');
  }
}
