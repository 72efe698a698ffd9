/** `cesta task`: the operator makes tasks, looks at them, and stops them. */
import { readFileSync } from 'node:fs';
import { text as readAll } from 'node:stream/consumers';
import type { Command } from 'commander';
import type { z } from 'zod';
import { taskStatusSchema, tasksSchema } from '../../server/http/admin-schemas.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { addAdminOptions, adminOf, tableOf, type AdminOptions } from './admin-options.ts';
import { print } from './output.ts';

type TaskStatus = z.infer<typeof taskStatusSchema>;

export function addTask(program: Command): void {
  const task = program.command('task').description('make, show, pause, resume or cancel the tasks of a coordinator (for operators, after `cesta login`)');
  addAdminOptions(task.command('create').description('make a task of a JSON specification'))
    .argument('[file]', 'the specification; - reads it from stdin')
    .option('--example', 'print a complete specification to start from, and end')
    .action(create);
  addAdminOptions(task.command('list').description('all tasks')).action(async (options: AdminOptions) => {
    const answer = await (await adminOf(options)).call('GET', '/tasks', tasksSchema);
    print(options, answer, tableOf(head, answer.tasks.map(rowOf), 'There are no tasks.'));
  });
  addAdminOptions(task.command('show').description('one task').argument('<name>')).action(async (name: string, options: AdminOptions) => {
    show(options, await (await adminOf(options)).call('GET', pathOf(name), taskStatusSchema));
  });
  for (const [verb, description] of [['pause', 'open no further rounds; the open one goes on'], ['resume', 'open rounds again'], ['cancel', 'end the task for good; its releases are served still']] as const) {
    addAdminOptions(task.command(verb).description(description).argument('<name>')).action(async (name: string, options: AdminOptions) => {
      show(options, await (await adminOf(options)).call('POST', `${pathOf(name)}/${verb}`, taskStatusSchema));
    });
  }
}

async function create(file: string | undefined, options: AdminOptions & { example?: boolean }): Promise<void> {
  if (options.example === true) {
    const { exampleTask } = await import('../example-task.ts');
    process.stdout.write(`${JSON.stringify(exampleTask(new Date()), null, options.json === true ? 0 : 2)}\n`);
    return;
  }
  if (file === undefined) throw new CestaError('usage.invalid', 'file: expected a specification, got none; --example prints one');
  show(options, await (await adminOf(options)).call('POST', '/tasks', taskStatusSchema, await readSpecification(file)));
}

async function readSpecification(file: string): Promise<unknown> {
  let text: string;
  try {
    text = file === '-' ? await readAll(process.stdin) : readFileSync(file, 'utf8');
  } catch (cause) {
    throw new CestaError('data.not-found', `file: expected one that can be read, got ${file}`, { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CestaError('plan.invalid', `file: expected JSON, got ${cause instanceof Error ? cause.message : 'something else'}`, { cause });
  }
}

function pathOf(name: string): string {
  return `/tasks/${encodeURIComponent(name)}`;
}

const head = ['task', 'state', 'phase', 'model', 'mode', 'release', 'rounds charged', 'since'];

function rowOf({ name, state, phase, model, mode, version, roundsCharged, roundsPlanned, createdAt }: TaskStatus): (string | number | null)[] {
  return [name, state, phase, model, mode, version, `${roundsCharged} of ${roundsPlanned}`, createdAt];
}

function show(options: AdminOptions, task: TaskStatus): void {
  const over = task.over === null ? [] : [`No further round opens: ${task.over.message}`];
  print(options, task, [tableOf(head, [rowOf(task)], ''), ...over].join('\n'));
}
