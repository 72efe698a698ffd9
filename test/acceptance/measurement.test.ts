/** Experiments whose arms devices find out themselves, and what comes of randomised reports. */
import { describe, expect, it } from 'vitest';
import type { Fetch } from '../../client/http.ts';
import { openMeasure, type Measure } from '../../client/storefront/measure.ts';
import { openOffers } from '../../client/storefront/offers.ts';
import type { Cesta } from '../../client/storefront/api.ts';
import type { Degree } from '../../shared/commerce/consent.ts';
import type { SignalName } from '../../shared/commerce/consent-signals.ts';
import type { ExperimentReport } from '../../shared/commerce/experiment-report.ts';
import { armOf, experimentSchema } from '../../shared/commerce/experiments.ts';
import { encodeMeasurement, measurementBytes } from '../../shared/commerce/measurement.ts';
import { defaultChannels } from '../../shared/commerce/preferences.ts';
import { seededRandom } from '../../shared/numerics/random.ts';
import { codeIn, rigs, type Rig } from '../client/shop/storefront-api/rig.ts';
import { memoryDeviceStore } from '../client/storefront/memory-device-store.ts';

let nowMs = Date.parse('2026-03-10T12:00:00Z');
const dateMs = (): number => nowMs;
const runs = { from: '2026-03-01T00:00:00Z', to: '2026-04-01T00:00:00Z' };
const experiment = experimentSchema.parse({ id: 'shelf-order', arms: ['usual', 'varied'], ...runs, measure: { epsilon: 4, afterDays: 1 } });
const campaigns = {
  experiments: [experiment],
  campaigns: [{ id: 'spring', text: 'Spring', items: ['apple'], channel: 'site', ...runs, measure: { epsilon: 2, afterDays: 0 } }],
};
const open = rigs();
const dayMs = 86_400_000;

/** What measurement reads of a page: its degree, and what rounds have spent. */
function pageAt(degree: Degree, spent = 0, loaded: Promise<void> = Promise.resolve()) {
  const listeners = new Set<(change: 'privacy') => void>();
  const state = { degree, chosen: degree, cap: null as { degree: Degree; by: SignalName } | null, epsilon: { spent, bound: 10, delta: 1e-4 }, settings: { channels: defaultChannels } };
  const cesta = { privacy: state, loaded, interests: () => ({ events: [{ event: 'purchase', item_id: 'apple', hour: Math.floor(nowMs / 3_600_000) }], unwanted: [] }), recentlyViewed: () => [], isSensitive: () => false, subscribe: (hear: (change: 'privacy') => void) => (listeners.add(hear), () => void listeners.delete(hear)) } as unknown as Cesta;
  return { cesta, state, tell: () => listeners.forEach((hear) => hear('privacy')), lower: (to: Degree) => ((state.degree = state.chosen = to), listeners.forEach((hear) => hear('privacy'))) };
}

/** Bodies that left, as they were sent. */
function wire() {
  const bodies: string[] = [];
  const fetch: Fetch = (url, init) => {
    if (typeof init?.body === 'string') bodies.push(init.body);
    return globalThis.fetch(url, init);
  };
  return { bodies, fetch };
}

async function device(rig: Rig, degree: Degree, spent = 0, loaded?: Promise<void>) {
  const [page, { bodies, fetch }, store] = [pageAt(degree, spent, loaded), wire(), memoryDeviceStore()];
  const measure: Measure = await openMeasure({ cesta: page.cesta, shop: rig.api.url, store, fetch, now: dateMs });
  return { ...page, measure, bodies, fetch, store };
}

/** Reports of devices that bought with these probabilities, straight to the shop: the book takes them as from any device. */
async function report(rig: Rig, rates: readonly number[], devices: number): Promise<ExperimentReport> {
  const random = seededRandom(5, 'devices');
  const { respond } = await import('../../shared/privacy/randomised-response.ts');
  const { systemRandom } = await import('../../client/secure-random.ts');
  const secure = systemRandom();
  const hex = (): string => Array.from({ length: 4 }, () => secure.nextUint32().toString(16).padStart(8, '0')).join('');
  for (let index = 0; index < devices; index += 1) {
    const arm = armOf(experiment, hex());
    const truth = random.nextFloat() < rates[arm] ? 3 : 1;
    const { value } = respond(truth, { values: 4, epsilon: experiment.measure.epsilon }, secure);
    const answer = await rig.ask('POST', '/v1/measurements', encodeMeasurement({ id: hex(), subject: experiment.id, arm, value }));
    if (answer.status !== 202) throw new Error(JSON.stringify(answer.body));
  }
  return (await rig.backend('GET', `/v1/experiments/${experiment.id}/report`)).body as unknown as ExperimentReport;
}

describe('capability 28: measured benefit', () => {
  it('capability 28: a device of degree 3 reports once, in a body of one size without any item; below it nothing leaves', async () => {
    nowMs = Date.parse('2026-03-10T12:00:00Z');
    const rig = await open({ campaigns, dateMs, measurementsPerAddress: { burst: 10_000, perSecond: 1_000 } });
    for (const degree of [0, 1, 2] as const) {
      const { measure, bodies } = await device(rig, degree);
      expect([await measure.arm(experiment), await measure.report(experiment), bodies]).toEqual([null, 'no-consent', []]);
    }
    const { measure, bodies } = await device(rig, 3);
    const arm = await measure.arm(experiment);
    expect([0, 1]).toContain(arm);
    await measure.note(experiment, 'click');
    expect(await measure.report(experiment)).toBe('not-due');
    nowMs += dayMs;
    expect([await measure.report(experiment), await measure.report(experiment)]).toEqual(['sent', 'done-before']);
    expect(bodies.map(({ length }) => length)).toEqual([measurementBytes]);
    expect(Object.keys(JSON.parse(bodies[0]) as object)).toEqual(['id', 'subject', 'arm', 'value']);
    expect(await measure.epsilonSpent()).toBe(4);
  });

  it('capability 28: reports are never read under other terms than they were made with', async () => {
    nowMs = Date.parse('2026-03-10T12:00:00Z');
    const rig = await open({ campaigns, dateMs });
    const send = async (subject: string, id: string): Promise<number> => (await rig.ask('POST', '/v1/measurements', encodeMeasurement({ id: id.repeat(32), subject, arm: 0, value: 0 }))).status;
    expect([await send('shelf-order', 'a'), await send('spring', 'b')]).toEqual([202, 202]);
    await rig.api.close();
    const reopened = async (changed: unknown): Promise<void> => (await open({ campaigns: changed, dateMs, stateDir: rig.stateDir })).api.close();
    const refusal = (id: string): object => ({ code: 'config.invalid', message: expect.stringContaining(`campaigns: ${id}: expected epsilon`) as string });
    await expect(reopened({ ...campaigns, experiments: [{ ...experiment, measure: { epsilon: 3 } }] })).rejects.toMatchObject(refusal('shelf-order'));
    await expect(reopened({ ...campaigns, experiments: [{ ...experiment, arms: ['varied', 'usual'] }] })).rejects.toMatchObject(refusal('shelf-order'));
    await expect(reopened({ ...campaigns, campaigns: [{ ...campaigns.campaigns[0], measure: { epsilon: 2, control: false } }] })).rejects.toMatchObject(refusal('spring'));
    await reopened({});
    await reopened({ ...campaigns, experiments: [{ ...experiment, id: 'another', arms: ['varied', 'usual'] }] });
    await reopened(campaigns);
  });

  it('capability 28: reports count against the bound of the device, and outlive what is forgotten', async () => {
    nowMs = Date.parse('2026-03-10T12:00:00Z');
    const rig = await open({ campaigns, dateMs });
    const poor = await device(rig, 3, 6.5);
    await poor.measure.arm(experiment);
    nowMs += dayMs;
    expect([await poor.measure.report(experiment), poor.bodies]).toEqual(['over-bound', []]);
    const rich = await device(rig, 3, 5);
    await rich.measure.arm(experiment);
    nowMs += dayMs;
    expect(await rich.measure.report(experiment)).toBe('sent');
    rich.lower(0);
    expect(await rich.measure.epsilonSpent()).toBe(4);
    await expect.poll(async () => JSON.stringify(await rich.store.get('measure'))).toContain('"salt":null');
  });

  it('capability 28: before the device is loaded its default bound decides nothing, and nothing is reported where it does not load', async () => {
    nowMs = Date.parse('2026-03-10T12:00:00Z');
    const rig = await open({ campaigns, dateMs });
    let load = (): void => undefined;
    const late = await device(rig, 1, 0, new Promise((resolve) => (load = resolve)));
    late.state.chosen = 3;
    await late.store.update('measure', () => ({ salt: 'ab'.repeat(16), met: { [experiment.id]: nowMs - dayMs }, reached: {}, reports: {}, epsilonSpent: 0 }));
    const reported = late.measure.report(experiment);
    late.tell();
    late.state.degree = 3;
    late.state.epsilon.bound = 0.5;
    load();
    expect([await reported, late.bodies, await late.measure.epsilonSpent()]).toEqual(['over-bound', [], 0]);
    expect(JSON.stringify(await late.store.get('measure'))).toContain('"salt":"abab');
    const broken = await device(rig, 3, 0, Promise.reject(new Error('no disk')));
    expect([await broken.measure.arm(experiment), await broken.measure.report(experiment)]).toEqual([null, 'over-bound']);
  });

  it('capability 28: a report on its way when the shopper withdraws is aborted; what was made is sent again, not drawn again', async () => {
    nowMs = Date.parse('2026-03-10T12:00:00Z');
    const rig = await open({ campaigns, dateMs });
    const { page, store } = { page: pageAt(3), store: memoryDeviceStore() };
    const bodies: (string | undefined)[] = [];
    let isHeld = true;
    const fetch: Fetch = (url, init) => {
      bodies.push(init?.body);
      if (!isHeld) return globalThis.fetch(url, init);
      return new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(new Error('aborted')));
        page.lower(2);
      });
    };
    const measure = await openMeasure({ cesta: page.cesta, shop: rig.api.url, store, fetch, now: dateMs });
    await measure.arm(experiment);
    await measure.note(experiment, 'click');
    nowMs += dayMs;
    expect([await measure.report(experiment), bodies.length]).toEqual(['no-consent', 1]);
    await expect.poll(() => measure.reached(experiment)).toBeNull();
    isHeld = false;
    page.lower(3);
    await measure.arm(experiment);
    nowMs += dayMs;
    expect([await measure.report(experiment), bodies[1], await measure.epsilonSpent()]).toEqual(['sent', bodies[0], 4]);
  });

  it('capability 28: a repeated report is the same report, and counts once', async () => {
    nowMs = Date.parse('2026-03-10T12:00:00Z');
    const rig = await open({ campaigns, dateMs });
    const { measure, bodies, store } = await device(rig, 3);
    await measure.arm(experiment);
    nowMs += dayMs;
    store.onUpdate = () => {
      // The page is closed when the answer has come.
      if (bodies.length === 1) throw new Error('closed');
    };
    await expect(measure.report(experiment)).rejects.toThrow('closed');
    store.onUpdate = () => undefined;
    expect(await measure.report(experiment)).toBe('sent');
    expect([bodies[0], await measure.epsilonSpent()]).toEqual([bodies[1], 4]);
  });

  it('capability 28: in an A/A test the arms do not differ, in an A/B test they do, with intervals that include the noise', async () => {
    nowMs = Date.parse('2026-03-10T12:00:00Z');
    const limits = { measurementsPerAddress: { burst: 10_000, perSecond: 1_000 } };
    const same = await report(await open({ campaigns, dateMs, ...limits }), [0.2, 0.2], 400);
    const { low, high } = same.differences[0].purchase;
    // 99.9999 % of A/A tests have their difference within this; the interval is checked by simulation elsewhere.
    expect(Math.abs(same.differences[0].purchase.value)).toBeLessThan((5 / 1.96) * ((high - low) / 2));
    expect(high - low).toBeGreaterThan(2 * 1.96 * Math.sqrt((2 * 0.2 * 0.8) / 200));
    const other = await report(await open({ campaigns, dateMs, ...limits }), [0.05, 0.75], 400);
    expect(other.differences[0]).toMatchObject({ arm: 'varied', against: 'usual' });
    expect(other.differences[0].purchase.low).toBeGreaterThan(0);
    expect(other.arms.reduce((sum, { devices }) => sum + devices, 0)).toBe(400);
  }, 60_000);

  it('capability 28: the shop reads reports with its token, of enough devices only, and takes nothing that is none', async () => {
    nowMs = Date.parse('2026-03-10T12:00:00Z');
    const rig = await open({ campaigns, dateMs });
    expect((await rig.ask('GET', '/v1/experiments/shelf-order/report')).status).toBe(401);
    expect(codeIn(await rig.backend('GET', '/v1/experiments/shelf-order/report'))).toBe('measure.too-few');
    expect(codeIn(await rig.backend('GET', '/v1/experiments/other/report'))).toBe('measure.unknown');
    const body = { id: 'ab'.repeat(16), subject: 'shelf-order', arm: 0, value: 1 };
    for (const wrong of [{ ...body, arm: 2 }, { ...body, value: 4 }, { ...body, item: 'apple' }, { ...body, id: 'x' }]) {
      const { status } = await rig.ask('POST', '/v1/measurements', JSON.stringify(wrong).padEnd(measurementBytes, ' '));
      expect(status).toBe(400);
    }
    expect(codeIn(await rig.ask('POST', '/v1/measurements', body))).toBe('usage.invalid');
    expect(codeIn(await rig.ask('POST', '/v1/measurements', encodeMeasurement({ ...body, subject: 'other' })))).toBe('measure.unknown');
  });
});

describe('capability 22: what a campaign was worth', () => {
  it('capability 22: a device outside the audience reports at the same time, in as many bytes, as one inside', async () => {
    nowMs = Date.parse('2026-03-10T12:00:00Z');
    const [spring] = campaigns.campaigns;
    const limited = { ...spring, measure: { epsilon: 4, afterDays: 1 }, audience: { all: [{ kind: 'viewed', items: ['cheese'] }] } };
    const rig = await open({ campaigns: { campaigns: [limited] }, dateMs });
    const start = nowMs;
    const seen = await Promise.all([['cheese'], []].map(async (history) => {
      const { cesta, measure, fetch, bodies } = await device(rig, 3);
      const events = history.map((item_id) => ({ event: 'view_item' as const, item_id, hour: Math.floor(start / 3_600_000) }));
      const offers = await openOffers({ cesta: { ...cesta, interests: () => ({ events, unwanted: [] }) }, shop: rig.api.url, measure, fetch, now: dateMs });
      await offers.pick(1);
      return { offers, bodies, reached: () => measure.reached({ ...experiment, id: limited.id }) };
    }));
    expect(await Promise.all(seen.map(({ reached }) => reached()))).toEqual(['none', null]);
    for (const { offers } of seen) await offers.settle();
    expect(seen.map(({ bodies }) => bodies)).toEqual([[], []]);
    nowMs += dayMs;
    for (const { offers } of seen) await offers.settle();
    expect(seen.map(({ bodies }) => bodies.map(({ length }) => length))).toEqual([[measurementBytes], [measurementBytes]]);
  });

  it('capability 22: a report that fails holds up no other, and one that would come too late is not paid for', async () => {
    nowMs = Date.parse('2026-03-10T12:00:00Z');
    const [spring] = campaigns.campaigns;
    const rig = await open({ campaigns: { campaigns: [spring, { ...spring, id: 'second' }, { ...spring, id: 'third', to: '2026-05-01T00:00:00Z' }] }, dateMs });
    const { cesta, measure, fetch } = await device(rig, 3);
    const asked: string[] = [];
    const offers = await openOffers({ cesta, shop: rig.api.url, fetch, now: dateMs, measure: { ...measure, report: (subject) => (asked.push(subject.id), subject.id === 'spring' ? Promise.reject(new Error('away')) : measure.report(subject)) } });
    await expect(offers.settle()).rejects.toThrow('away');
    expect([asked, await measure.epsilonSpent()]).toEqual([['spring', 'second', 'third'], 4]);
    asked.length = 0;
    nowMs = Date.parse(spring.to) + 31 * dayMs;
    await offers.settle();
    expect(asked).toEqual(['third']);
  });

  it('capability 22: half of the devices are left out of a measured campaign, and purchases of both halves are reported', async () => {
    nowMs = Date.parse('2026-03-10T12:00:00Z');
    const rig = await open({ campaigns, dateMs, measurementsPerAddress: { burst: 10_000, perSecond: 1_000 } });
    const shown = [0, 0];
    for (let index = 0; index < 160; index += 1) {
      const { cesta, measure, fetch } = await device(rig, 3);
      const offers = await openOffers({ cesta, shop: rig.api.url, measure, fetch, now: dateMs });
      const [picked] = await offers.pick(1);
      shown[picked === undefined ? 0 : 1] += 1;
      if (picked !== undefined) await offers.shown(picked);
      await offers.settle();
    }
    const answer = (await rig.backend('GET', '/v1/campaigns/spring/report')).body as unknown as ExperimentReport;
    expect(answer.arms.map(({ arm, devices }) => [arm, devices])).toEqual([['control', shown[0]], ['offer', shown[1]]]);
    // Everybody bought: seven standard deviations of the estimate.
    for (const { share: { purchase } } of answer.arms) expect(Math.abs(purchase.value - 1)).toBeLessThan((7 / 1.96) * ((purchase.high - purchase.low) / 2));
  }, 60_000);
});
