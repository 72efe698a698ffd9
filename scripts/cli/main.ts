/**
 * The `cesta` command. Each verb is one file; its work is loaded only when it runs, so that `--help` is quick.
 */
import { Command, CommanderError } from 'commander';
import { addAudit } from './audit.ts';
import { addBackup, addRestore } from './backup.ts';
import { addBench } from './bench.ts';
import { addBreach } from './breach.ts';
import { addBrowser } from './browser.ts';
import { addBudget } from './budget.ts';
import { addDemo } from './demo.ts';
import { addDoctor } from './doctor.ts';
import { addEnrol } from './enrol.ts';
import { addEvaluate } from './evaluate.ts';
import { addJoin } from './join.ts';
import { addExperiment } from './experiment.ts';
import { addFrontier } from './frontier.ts';
import { addKeys } from './keys.ts';
import { addLogin } from './login.ts';
import { addNodesVerb } from './nodes.ts';
import { addOperator } from './operator.ts';
import { ownVersion } from '../own-package.ts';
import { reportFailure } from './output.ts';
import { addPolicy } from './policy.ts';
import { addProcessingRecord } from './processing-record.ts';
import { addReceipts } from './receipts.ts';
import { addReference } from './reference.ts';
import { addReleasesVerb } from './releases.ts';
import { addRevoke } from './revoke.ts';
import { addServe } from './serve.ts';
import { addSimulate } from './simulate.ts';
import { addTask } from './task.ts';
import { addToken } from './token.ts';
import { addVerify } from './verify.ts';
import { addWitness } from './witness.ts';

export function createProgram(): Command {
  const program = new Command('cesta')
    .description('Federated recommendations for shops: the shoppers\' data stays where it is.')
    .version(ownVersion())
    .exitOverride()
    .showHelpAfterError('(add --help for what this verb takes)');
  for (const add of [addServe, addBackup, addRestore, addJoin, addBrowser, addKeys, addEnrol, addToken, addRevoke, addLogin, addTask, addNodesVerb, addReleasesVerb, addOperator, addPolicy, addBreach, addProcessingRecord, addDemo, addEvaluate, addSimulate, addExperiment, addFrontier, addDoctor, addBudget, addVerify, addWitness, addReceipts, addReference, addAudit, addBench]) add(program);
  return program;
}

/** Runs one command line and sets the exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  // `cesta ... | head` has read what it wanted.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
  const program = createProgram();
  try {
    await program.parseAsync(argv);
  } catch (thrown) {
    // Commander has printed its message; help and version are not failures.
    if (thrown instanceof CommanderError) process.exitCode = thrown.exitCode === 0 ? 0 : 2;
    else reportFailure(thrown, argv.includes('--json'));
  }
}
