/**
 * What to do when a coordinator may have been broken into, in order: freeze the rounds, exchange the keys that can be
 * exchanged, find out whom it concerns, and write the report with its deadline and the notice. The same steps are a drill
 * on a copy and the real thing.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurably } from '../client/shop/durable-file.ts';
import type { Fetch } from '../client/http.ts';
import { nodesSchema, operatorsSchema, taskStatusSchema, tasksSchema } from '../server/http/admin-schemas.ts';
import type { OperatorCredentials } from '../server/admin/credentials.ts';
import { federationSchema } from '../server/http/schemas.ts';
import { breachMarkdown, customerNotice, deadlineOf, type BreachReport, type BreachStep } from '../shared/policy/breach.ts';
import type { JurisdictionName } from '../shared/policy/jurisdictions.ts';
import { toCestaError } from '../shared/protocol/errors.ts';
import type { AdminClient } from './admin-client.ts';
import { affectedSince, type JournalPlace } from './breach/affected.ts';
import { resetOperator, revokeNode } from './operator.ts';
import { verifyRecord } from './verify.ts';
import { fetchJson } from './verify/served.ts';

export interface BreachOptions {
  readonly kind: BreachReport['kind'];
  /** Logged in. */
  readonly admin: AdminClient;
  readonly place: JournalPlace;
  readonly jurisdiction: JurisdictionName;
  readonly description: string;
  readonly discoveredAt: string;
  readonly since: string;
  /** Names of nodes whose keys are known to others. */
  readonly compromised: readonly string[];
  readonly fetch?: Fetch;
  /** ISO 8601. */
  readonly now: () => string;
}

export interface Breach {
  readonly report: BreachReport;
  /** Of all operators, made just now: not in the report. */
  readonly credentials: readonly OperatorCredentials[];
}

/** @throws CestaError what the coordinator refuses; steps before it are done then */
export async function respondToBreach(options: BreachOptions): Promise<Breach> {
  const { admin, place, kind, jurisdiction, description, discoveredAt, since, now, fetch = globalThis.fetch } = options;
  const steps: BreachStep[] = [];
  const done = (step: string, outcome: string): void => void steps.push({ step, at: now(), outcome });
  const { publicKey, controller } = await fetchJson(fetch, admin.coordinator, '.well-known/cesta.json', federationSchema);
  const tasks = await freeze(admin);
  done('freeze rounds', `${tasks.filter(({ before }) => before === 'active').length} tasks paused; no further round opens`);
  for (const shop of options.compromised) {
    const { node } = await revokeNode({ coordinator: admin.coordinator, fetch, ...place }, { shop }, 'compromised');
    done(`revoke ${shop}`, `key ${node} is in the public record as compromised`);
  }
  const { nodes: known } = await admin.call('GET', '/nodes', nodesSchema);
  const credentials = await rotate(options);
  done('rotate operators\' credentials', `${credentials.length} operators have new tokens and new second factors`);
  done('end sessions', await isOut(admin) ? 'the session of this very call is refused now' : 'SESSIONS STILL COUNT: restart the coordinator');
  const { size, root, findings } = await verifyRecord(admin.coordinator, { coordinatorKey: publicKey, fetch });
  done('verify the public record', findings.length === 0 ? `${size} entries are consistent` : `${findings.length} findings`);
  const affected = await affectedSince(place, since, known);
  done('list what is concerned', `${affected.rounds.length} rounds, ${affected.nodes.length} nodes`);
  const facts = { kind, controller, jurisdiction, description, discoveredAt, since, ...affected };
  const report: BreachReport = {
    format: 'cesta/breach/1', ...facts,
    coordinator: { url: admin.coordinator.href, publicKey },
    deadlineAt: deadlineOf(jurisdiction, discoveredAt),
    steps,
    record: { size, root, findings: findings.map(({ index, reason }) => (index === null ? reason : `entry ${index}: ${reason}`)) },
    tasks,
    left: leftToDo(affected.nodes.map(({ name }) => name)),
    notice: customerNotice(facts),
  };
  return { report, credentials };
}

async function freeze(admin: AdminClient): Promise<BreachReport['tasks']> {
  const { tasks } = await admin.call('GET', '/tasks', tasksSchema);
  const frozen = [];
  for (const { name, state } of tasks) {
    const now = state === 'active' ? (await admin.call('POST', `/tasks/${encodeURIComponent(name)}/pause`, taskStatusSchema)).state : state;
    frozen.push({ name, before: state, now });
  }
  return frozen;
}

/** By the coordinator's own key: whoever has stolen a session cannot do it. */
async function rotate({ admin, place: { dataDir }, fetch }: BreachOptions): Promise<OperatorCredentials[]> {
  const { operators } = await admin.call('GET', '/operators', operatorsSchema);
  const credentials: OperatorCredentials[] = [];
  for (const { name } of operators) credentials.push(await resetOperator({ coordinator: admin.coordinator, dataDir, ...(fetch === undefined ? {} : { fetch }) }, name));
  return credentials;
}

async function isOut(admin: AdminClient): Promise<boolean> {
  try {
    await admin.call('GET', '/operators', operatorsSchema);
    return false;
  } catch (error) {
    if (toCestaError(error).code === 'admin.unauthorised') return true;
    throw error;
  }
}

function leftToDo(nodes: readonly string[]): string[] {
  return [
    'Notify the authority before the deadline (Art. 33(1)); what is not known yet may follow (Art. 33(4)).',
    'Give the notice below to the shops, which send it to their customers where the risk is high (Art. 34).',
    `Have each shop exchange its key: \`cesta keys rotate --shop NAME\`, or, where the key was read, revoke it and \`cesta keys replace\`${nodes.length === 0 ? '' : ` (${nodes.join(', ')})`}.`,
    'Exchange what is outside of this program: the TLS certificate (a self-made one: remove tls.crt and tls.key and start again), the password of the database, keys of the host.',
    'If signing.key was read: shops and storefronts have pinned it. Start a new federation, with a new data folder, and tell every shop its fingerprint over another channel.',
    'Compare the head of the record with what witnesses and shops remember: `cesta witness`, `cesta verify`.',
    'When all is well: hand the new credentials to their operators, `cesta task resume NAME`, and keep this report (Art. 33(5)).',
  ];
}

/** Writes `breach.json` and `breach.md` into a folder, made if it is not there. @returns their paths */
export function writeReport(folder: string, report: BreachReport): { readonly json: string; readonly markdown: string } {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const [json, markdown] = [join(folder, 'breach.json'), join(folder, 'breach.md')];
  writeDurably(json, folder, `${JSON.stringify(report, null, 2)}\n`);
  writeDurably(markdown, folder, breachMarkdown(report));
  return { json, markdown };
}
