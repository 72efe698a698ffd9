/** `cesta nodes`: who belongs to the federation, and where everybody stands. */
import type { Command } from 'commander';
import { nodesSchema } from '../../server/http/admin-schemas.ts';
import { addAdminOptions, adminOf, tableOf, type AdminOptions } from './admin-options.ts';
import { print } from './output.ts';

export function addNodesVerb(program: Command): void {
  addAdminOptions(program.command('nodes').description('list the nodes of a coordinator (for operators, after `cesta login`)')).action(nodes);
}

async function nodes(options: AdminOptions): Promise<void> {
  const answer = await (await adminOf(options)).call('GET', '/nodes', nodesSchema);
  const rows = answer.nodes.map(({ name, organisation, enrolment, certificateExpires, connected, inRound, lastSeen, publicKey }) =>
    [name, organisation, enrolment, certificateExpires, connected, inRound ? 'yes' : 'no', lastSeen, publicKey.slice(0, 16)]);
  print(options, answer, tableOf(['node', 'organisation', 'enrolment', 'certificate until', 'connected', 'in round', 'last seen', 'key (start)'], rows, 'No node has been here yet.'));
}
