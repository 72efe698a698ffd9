/** `cesta budget`: what a coordinator's task has promised and spent. */
import type { Command } from 'commander';
import type { z } from 'zod';
import { budgetSchema } from '../../server/http/schemas.ts';
import { fetchDocument } from '../coordinator-documents.ts';
import { httpUrl } from './options.ts';
import { print } from './output.ts';

export function addBudget(program: Command): void {
  program
    .command('budget')
    .description('show what a coordinator\'s task has promised and spent')
    .argument('<url>', 'the coordinator', httpUrl)
    .option('--task <name>', 'a task of the coordinator (default: the main one)')
    .option('--json', 'print one JSON object')
    .action(showBudget);
}

async function showBudget(url: URL, options: { task?: string; json?: boolean }): Promise<void> {
  const report = await fetchDocument(url, options.task === undefined ? '/v1/budget' : `/v1/tasks/${encodeURIComponent(options.task)}/budget`, budgetSchema);
  print(options, report, describe(report));
}

function describe(report: z.infer<typeof budgetSchema>): string {
  const number = (value: number | null): string => (value === null ? 'nothing is promised' : value.toPrecision(4));
  return [
    `task ${report.task}, mode ${report.mode}, ${report.roundsCharged} rounds charged, ${report.roundsLeft} left${report.evaluationsCharged === 0 ? '' : `, and ${report.evaluationsCharged} evaluations charged`}`,
    `epsilon: ${number(report.epsilonSpent)} spent of ${number(report.epsilonLimit)}, delta ${number(report.delta)}`,
    ...(report.epsilonAcrossShops === null ? [] : [
      `a person who is a shopper of ${report.shopsPerShopper} shops: epsilon ${number(report.epsilonAcrossShops)}`,
      `filter at Renyi order ${report.filterOrder}: ${((report.filterUsed ?? 0) * 100).toFixed(1)} % used; the budget is ${report.state}`,
    ]),
    `unit: ${report.unit}; adjacency: ${report.adjacency}`,
    ...[report.shopLedger, report.shopperLedger].flatMap((ledger) => (ledger === null ? [] : [`for ${ledger.unit} (${ledger.adjacency}): epsilon ${number(ledger.epsilon)}, counted apart`])),
    report.threatModel,
    ...report.assumptions.map((assumption) => `- ${assumption}`),
  ].join('\n');
}
