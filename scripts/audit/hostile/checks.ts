/** What has to hold of a federation after whatever was done to it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { addressBelow, getDocument } from '../../../client/http.ts';
import { openRelease } from '../../../shared/federation/release.ts';
import { CestaError, toCestaError } from '../../../shared/protocol/errors.ts';
import type { HostileFederation } from './federation.ts';
import { honestShops } from './task.ts';

/** Rounds that take longer than this under attack are taken for stuck. */
const patienceMs = 90_000;

/** Waits for a release after this one, in a round that honest shops can see the end of. @throws CestaError `internal` when none comes */
export async function releaseAfter(federation: HostileFederation, version: number): Promise<void> {
  const end = performance.now() + patienceMs;
  while (((await federation.served.current())?.manifest.version ?? 0) <= version) {
    if (!federation.isAlive) throw new CestaError('internal', `coordinator: expected it to live, but it ended\n${federation.lastWords}`);
    if (performance.now() > end) throw new CestaError('internal', `rounds: expected a release after ${version} within ${patienceMs / 1000} s, got none\n${federation.lastWords}`);
    await sleep(50);
  }
}

/** @returns what does not hold, a sentence each */
export async function checkEnd(federation: HostileFederation): Promise<string[]> {
  if (!federation.isAlive) return [`coordinator: expected it to live, but it ended: ${federation.lastWords}`];
  try {
    const findings = await checkHonestRound(federation);
    findings.push(...await federation.stopShops());
    return [...findings, ...await checkModel(federation)];
  } catch (error) {
    return [toCestaError(error).message];
  }
}

/** After the attack, every honest shop takes part again. */
async function checkHonestRound(federation: HostileFederation): Promise<string[]> {
  const before = new Map(federation.reports);
  const missing = (): string[] => shopNames.filter((shop) => (federation.reports.get(shop) ?? 0) <= (before.get(shop) ?? 0));
  const end = performance.now() + patienceMs;
  while (missing().length > 0 && performance.now() < end && federation.isAlive) await sleep(50);
  return missing().map((shop) => `${shop}: expected it to take part after the attack, and it did not`);
}

const shopNames = Array.from({ length: honestShops }, (_, shop) => `honest-${shop + 1}`);

/** The last release is served, is of the last round that is done, and all its numbers are numbers. */
async function checkModel({ served, url, publicKey }: HostileFederation): Promise<string[]> {
  const released = (await served.rounds(0)).filter(({ state }) => state === 'done');
  const document = await getDocument(fetch, addressBelow(url, 'v1/model'));
  if (document === null) return ['model: expected bytes, got none'];
  const { manifest, tensors } = await openRelease(document.bytes, publicKey);
  const findings = manifest.round === released.at(-1)?.round ? [] : [`model: expected the release of ${released.at(-1)?.round ?? 'no round'}, got that of ${manifest.round}`];
  for (const [name, { data }] of Object.entries(tensors)) {
    if (!data.every((value) => Number.isFinite(value))) findings.push(`model: expected finite numbers in ${name}, got others`);
  }
  return findings;
}
