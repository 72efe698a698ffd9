/**
 * What to do when a coordinator may have been broken into, in order: freeze the rounds, exchange the keys that can be
 * exchanged, find out whom it concerns, and write the report with its deadline and the notice. The same steps are a drill
 * on a copy and the real thing.
 */
import type { Fetch } from '../client/http.ts';
import { nodesSchema, operatorsSchema, taskStatusSchema, tasksSchema } from '../server/http/admin-schemas.ts';
import type { OperatorCredentials } from '../server/admin/credentials.ts';
import { federationSchema } from '../server/http/schemas.ts';
import { customerNotice, deadlineOf, type BreachReport, type BreachStep } from '../shared/policy/breach.ts';
import type { JurisdictionName } from '../shared/policy/jurisdictions.ts';
import { toCestaError } from '../shared/protocol/errors.ts';
import type { AdminClient } from './admin-client.ts';
import { openAffectedReader, type AffectedReader, type JournalPlace } from './breach/affected.ts';
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
  /** New ones of an operator, as soon as the old ones count no more: they are in no report, and nobody can ask for them again. */
  readonly onCredentials: (credentials: OperatorCredentials) => void;
}

/**
 * What cannot be read is found out before anything is changed. From the first exchanged credentials on nothing ends it: what
 * fails then stands in the report.
 * @throws CestaError what the coordinator refuses before that; tasks may be paused and nodes revoked then
 */
export async function respondToBreach(options: BreachOptions): Promise<BreachReport> {
  const reader = await openAffectedReader(options.place);
  try {
    return await respond(options, reader);
  } finally {
    await reader.close();
  }
}

async function respond(options: BreachOptions, reader: AffectedReader): Promise<BreachReport> {
  const { admin, place, kind, jurisdiction, description, discoveredAt, since, now, fetch = globalThis.fetch } = options;
  const steps: BreachStep[] = [];
  const done = (step: string, outcome: string): void => void steps.push({ step, at: now(), outcome });
  const attempt = async <T>(step: string, run: () => Promise<T>): Promise<T | string> => run().catch((thrown: unknown) => {
    const { code, message } = toCestaError(thrown);
    done(step, `NOT DONE: ${code}: ${message}`);
    return `${code}: ${message}`;
  });
  const { publicKey, controller } = await fetchJson(fetch, admin.coordinator, '.well-known/cesta.json', federationSchema);
  const { operators } = await admin.call('GET', '/operators', operatorsSchema);
  const tasks = await freeze(admin);
  done('freeze rounds', `${tasks.filter(({ before }) => before === 'active').length} tasks paused; no further round opens`);
  for (const shop of options.compromised) {
    const { node } = await revokeNode({ coordinator: admin.coordinator, fetch, ...place }, { shop }, 'compromised');
    done(`revoke ${shop}`, `key ${node} is in the public record as compromised`);
  }
  const { nodes: known } = await admin.call('GET', '/nodes', nodesSchema);
  for (const { name } of operators) await attempt(`rotate credentials of ${name}`, () => rotate(options, name));
  const failed = steps.filter(({ step }) => step.startsWith('rotate ')).length;
  done('rotate operators\' credentials', `${operators.length - failed} of ${operators.length} operators have new tokens and new second factors`);
  const isOver = await attempt('end sessions', () => isOut(admin));
  if (typeof isOver !== 'string') done('end sessions', isOver ? 'the session of this very call is refused now' : 'SESSIONS STILL COUNT: restart the coordinator');
  const record = await attempt('verify the public record', () => readRecord(admin.coordinator, publicKey, fetch));
  if (typeof record !== 'string') done('verify the public record', record.findings.length === 0 ? `${record.size} entries are consistent` : `${record.findings.length} findings`);
  const affected = await attempt('list what is concerned', () => reader.since(since, known));
  if (typeof affected !== 'string') done('list what is concerned', `${affected.rounds.length} rounds, ${affected.nodes.length} nodes`);
  const { rounds, nodes } = typeof affected === 'string' ? { rounds: null, nodes: null } : affected;
  const facts = { kind, controller, jurisdiction, description, discoveredAt, since, rounds, nodes };
  return {
    format: 'cesta/breach/1', ...facts,
    coordinator: { url: admin.coordinator.href, publicKey },
    deadlineAt: deadlineOf(jurisdiction, discoveredAt),
    steps,
    record: typeof record === 'string' ? { size: null, root: null, findings: [record] } : record,
    tasks,
    left: leftToDo((nodes ?? []).map(({ name }) => name)),
    notice: customerNotice(facts),
  };
}

async function readRecord(coordinator: URL, coordinatorKey: string, fetch: Fetch): Promise<BreachReport['record']> {
  const { size, root, findings } = await verifyRecord(coordinator, { coordinatorKey, fetch });
  return { size, root, findings: findings.map(({ index, reason }) => (index === null ? reason : `entry ${index}: ${reason}`)) };
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
async function rotate({ admin, place: { dataDir }, fetch, onCredentials }: BreachOptions, name: string): Promise<void> {
  onCredentials(await resetOperator({ coordinator: admin.coordinator, dataDir, ...(fetch === undefined ? {} : { fetch }) }, name));
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
    'Where a step above says NOT DONE: do it by hand, `cesta operator reset NAME` for credentials, `cesta verify` for the record.',
    'When all is well: hand the new credentials to their operators, `cesta task resume NAME`, and keep this report (Art. 33(5)).',
  ];
}
