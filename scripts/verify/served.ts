/** Whether what a coordinator serves is what its log says: the budget of its task, and the release in force. */
import type { z } from 'zod';
import { prettifyError } from 'zod';
import { addressBelow, getDocument, parseJson, type Fetch } from '../../client/http.ts';
import { budgetSchema, roundsSchema, tasksSchema } from '../../server/http/schemas.ts';
import { openRelease, type OpenedRelease } from '../../shared/federation/release.ts';
import { compareBudget, reservedOf, type Reserved } from '../../shared/ledger/compare-budget.ts';
import type { ReplayTotals, TaskTotals } from '../../shared/ledger/replay.ts';
import { sha256Hex } from '../../shared/protocol/digest.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { compareForms, type ServedPlace } from './forms.ts';

export async function fetchJson<T>(fetch: Fetch, base: URL, path: string, schema: z.ZodType<T>): Promise<T> {
  const document = await getDocument(fetch, addressBelow(base, path));
  const parsed = schema.safeParse(parseJson(document?.bytes ?? new Uint8Array(0), path));
  if (!parsed.success) throw new CestaError('protocol.malformed', `${path}: ${prettifyError(parsed.error)}`, { cause: parsed.error });
  return parsed.data;
}

/** What differs, a sentence each. @param publicKey who signs releases */
export async function compareServed(fetch: Fetch, coordinator: URL, publicKey: string, { tasks }: ReplayTotals): Promise<string[]> {
  const served = (await fetchJson(fetch, coordinator, 'v1/tasks', tasksSchema)).tasks.map(({ task }) => task);
  const missing = tasks.filter(({ task }) => !served.includes(task)).map(({ task }) => `task ${task}: expected it to be served, since the log has rounds of it, got none`);
  const differences = await Promise.all(served.map(async (task) => {
    const from = new URL(addressBelow(coordinator, `v1/tasks/${task}/`));
    const logged = tasks.find((totals) => totals.task === task) ?? null;
    const budget = await fetchJson(fetch, from, 'budget', budgetSchema);
    const found = [...compareBudget(budget, logged, await reservedRounds(fetch, from)), ...(await compareRelease({ fetch, coordinator, task: from, publicKey }, logged))];
    return found.map((difference) => (served.length === 1 ? difference : `task ${task}, ${difference}`));
  }));
  return [...missing, ...differences.flat()];
}

async function reservedRounds(fetch: Fetch, task: URL): Promise<Reserved> {
  const rounds: z.infer<typeof roundsSchema>['rounds'] = [];
  for (let after: number | null = 0; after !== null;) {
    const page: z.infer<typeof roundsSchema> = await fetchJson(fetch, task, `rounds?after=${after}`, roundsSchema);
    rounds.push(...page.rounds.filter(({ budget }) => budget === 'reserved'));
    after = page.next !== null && page.next > after ? page.next : null;
  }
  return reservedOf(rounds);
}

async function compareRelease(place: ServedPlace, logged: TaskTotals | null): Promise<string[]> {
  const served = await releaseAt(place, 'model');
  const expected = logged?.release ?? null;
  const sha256 = served === null ? null : sha256Hex(served);
  if (sha256 !== (expected?.sha256 ?? null)) return [`model: expected the release ${expected?.sha256 ?? '(none)'}, the last one in the log, got ${sha256 ?? '(none)'}`];
  return served === null || expected === null ? [] : compareContent(place, { bytes: served, expected });
}

interface Served {
  readonly bytes: Uint8Array;
  readonly expected: NonNullable<TaskTotals['release']>;
}

/** That a release is the version that the log says, and what storefronts get in its place is a form of it. */
async function compareContent(place: ServedPlace, served: Served): Promise<string[]> {
  try {
    const opened = await openRelease(served.bytes, place.publicKey);
    const objection = await compareOrigin(place, opened, served.expected);
    return [...(objection === null ? [] : [objection]), ...(await compareForms(place, { ...opened, bytes: served.bytes, sha256: served.expected.sha256 }))];
  } catch (error) {
    if (error instanceof CestaError && error.code === 'release.untrusted') return [`model: ${error.message}`];
    throw error;
  }
}

/** That a release which is served again has the parameters of the one it restores. */
async function compareOrigin(place: ServedPlace, { manifest }: OpenedRelease, { version, restores }: Served['expected']): Promise<string | null> {
  if (manifest.version !== version || manifest.restores !== restores?.version) {
    return `model: expected version ${version} that restores ${restores?.version ?? 'none'}, as the log has it, got version ${manifest.version} that restores ${manifest.restores ?? 'none'}`;
  }
  if (restores === null) return null;
  const origin = await releaseAt(place, `model/${restores.sha256}`);
  if (origin === null || sha256Hex(origin) !== restores.sha256) return `model: expected release ${restores.version}, which version ${version} restores, under its digest ${restores.sha256}, got another or none`;
  const { manifest: { tensorsSha256 } } = await openRelease(origin, place.publicKey);
  return tensorsSha256 === manifest.tensorsSha256 ? null : `model: expected version ${version} to have the parameters of release ${restores.version}, ${tensorsSha256}, got ${manifest.tensorsSha256}`;
}

async function releaseAt({ fetch, task }: Pick<ServedPlace, 'fetch' | 'task'>, path: string): Promise<Uint8Array | null> {
  try {
    return (await getDocument(fetch, addressBelow(task, path)))?.bytes ?? null;
  } catch (error) {
    if (error instanceof CestaError && error.code === 'release.not-found') return null;
    throw error;
  }
}
