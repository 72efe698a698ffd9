/** `cesta budget`: what a coordinator's task has promised and spent. */
import type { Command } from 'commander';
import { z } from 'zod';
import { fetchDocument } from '../coordinator-documents.ts';
import { httpUrl } from './options.ts';
import { print } from './output.ts';

const reportSchema = z.object({
  task: z.string(),
  mode: z.string(),
  unit: z.string(),
  adjacency: z.string(),
  delta: z.number().nullable(),
  epsilonLimit: z.number().nullable(),
  epsilonSpent: z.number().nullable(),
  epsilonLeft: z.number().nullable(),
  roundsCharged: z.number(),
  roundsLeft: z.number(),
  assumptions: z.array(z.string()),
  threatModel: z.string(),
});

export function addBudget(program: Command): void {
  program
    .command('budget')
    .description('show what a coordinator\'s task has promised and spent')
    .argument('<url>', 'the coordinator', httpUrl)
    .option('--json', 'print one JSON object')
    .action(showBudget);
}

async function showBudget(url: URL, options: { json?: boolean }): Promise<void> {
  const report = await fetchDocument(url, '/v1/budget', reportSchema);
  print(options, report, describe(report));
}

function describe(report: z.infer<typeof reportSchema>): string {
  const number = (value: number | null): string => (value === null ? 'nothing is promised' : value.toPrecision(4));
  return [
    `task ${report.task}, mode ${report.mode}, ${report.roundsCharged} rounds charged, ${report.roundsLeft} left`,
    `epsilon: ${number(report.epsilonSpent)} spent of ${number(report.epsilonLimit)}, delta ${number(report.delta)}`,
    `unit: ${report.unit}; adjacency: ${report.adjacency}`,
    report.threatModel,
    ...report.assumptions.map((assumption) => `- ${assumption}`),
  ].join('\n');
}
