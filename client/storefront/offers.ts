/**
 * Offers on a device: the shop sends all of them to everybody, and which of them are for this shopper is found out here. Nothing
 * of it leaves the page but, at degree 3, one randomised report (measure.ts) of each campaign that is measured. Whoever is not in
 * its audience reports `none` of it at the same time as everybody else: that a report comes at all must say nothing.
 */
import { campaignFileSchema, isFor, subjectOf, type Campaign, type CampaignFile } from '../../shared/commerce/campaigns.ts';
import type { StoredEvent } from '../../shared/commerce/device-events.ts';
import type { Subject } from '../../shared/commerce/experiments.ts';
import { dataFor } from '../../shared/commerce/purposes.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { describeIssues } from '../../shared/protocol/issues.ts';
import { getDocument, addressBelow, parseJson, type Fetch } from '../http.ts';
import type { Cesta } from './api.ts';
import type { Measure } from './measure.ts';

export interface OffersOptions {
  readonly cesta: Pick<Cesta, 'privacy' | 'interests' | 'recentlyViewed' | 'isSensitive'>;
  /** Where the shop node's storefront API is served. */
  readonly shop: string;
  /** Counts campaigns that ask for it; without it, nothing is counted and nobody is left out for comparison. */
  readonly measure?: Measure;
  readonly fetch?: Fetch;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
}

export interface Offers {
  /** Campaigns of the site for this shopper, in the order of the shop, each below its cap since the page was loaded. */
  pick(limit: number): Promise<Campaign[]>;
  /** It was on the page: counts towards its cap. */
  shown(campaign: Campaign): Promise<void>;
  clicked(campaign: Campaign): Promise<void>;
  /** Notes purchases since, and sends reports that are due. @throws what the first that failed failed with, after all were tried */
  settle(): Promise<void>;
  /** Experiments that run at this shop. */
  readonly experiments: CampaignFile['experiments'];
}

/** As many viewed items as are looked at for their categories. */
const viewedItems = 100;

/** So long after its end the shop counts a campaign; a report that comes later would be paid for and dropped. */
const graceMs = 30 * 86_400_000;

/**
 * @throws CestaError `network.unreachable`, `protocol.malformed`
 * @example
 * const offers = await openOffers({ cesta, shop: '/shop' });
 * for (const { text, items } of await offers.pick(2)) show(text, items);
 */
export async function openOffers({ cesta, shop, measure, fetch = globalThis.fetch.bind(globalThis), now = Date.now }: OffersOptions): Promise<Offers> {
  const file = await fetchOffers(fetch, shop);
  const timesShown = new Map<string, number>();
  // Other channels have no control that this page could keep to.
  const measured = (campaign: Campaign): Subject | null => (measure === undefined || campaign.channel !== 'site' ? null : subjectOf(campaign));

  /** Every measured campaign is met by every device, before anything is asked of its history. */
  async function meetAll(): Promise<void> {
    for (const subject of file.campaigns.map(measured)) if (subject !== null) await measure?.arm(subject);
  }
  // A page that cannot note it hears of that where it picks.
  void meetAll().catch(() => undefined);

  /** Of a campaign for this shopper: in the control arm it is not shown, and only what is bought all the same is counted. */
  async function isLeftOut(campaign: Campaign): Promise<boolean> {
    const subject = measured(campaign);
    if (subject === null) return false;
    // It marks who is in the audience: nobody else's purchases count.
    await measure?.note(subject, 'none');
    return subject.arms.length > 1 && (await measure?.arm(subject)) === 0;
  }

  async function settleOne(campaign: Campaign, subject: Subject, measure: Measure): Promise<void> {
    if (now() > Date.parse(campaign.to) + graceMs) return;
    const isMeant = (await measure.reached(subject)) !== null;
    const fromHour = Math.floor(Date.parse(campaign.from) / 3_600_000);
    const bought = dataFor('measure', cesta.privacy.degree, eventsOf(cesta)) ?? [];
    if (isMeant && bought.some(({ event, hour, item_id: id }) => event === 'purchase' && hour >= fromHour && campaign.items.includes(id))) await measure.note(subject, 'purchase');
    await measure.report(subject);
  }

  return {
    experiments: file.experiments,
    async pick(limit) {
      await meetAll();
      const { unwanted } = cesta.interests();
      const categories = new Map(categoriesOf(cesta));
      const profile = { events: eventsOf(cesta), unwanted, channels: cesta.privacy.settings.channels, categoryOf: (id: string) => categories.get(id), timesShown: (id: string) => timesShown.get(id) ?? 0 };
      const picked: Campaign[] = [];
      for (const campaign of file.campaigns) {
        if (picked.length === limit) break;
        if (campaign.channel === 'site' && isFor(campaign, profile, now()) && !(await isLeftOut(campaign))) picked.push(campaign);
      }
      return picked;
    },
    async shown(campaign) {
      timesShown.set(campaign.id, (timesShown.get(campaign.id) ?? 0) + 1);
      await note(campaign, 'impression');
    },
    clicked: (campaign) => note(campaign, 'click'),
    async settle() {
      await meetAll();
      const failures: unknown[] = [];
      for (const campaign of file.campaigns) {
        const subject = measured(campaign);
        if (subject === null || measure === undefined) continue;
        await settleOne(campaign, subject, measure).catch((thrown: unknown) => failures.push(thrown));
      }
      if (failures.length > 0) throw failures[0];
    },
  };

  async function note(campaign: Campaign, level: 'impression' | 'click'): Promise<void> {
    const subject = measured(campaign);
    if (subject !== null) await measure?.note(subject, level);
  }
}

async function fetchOffers(fetch: Fetch, shop: string): Promise<CampaignFile> {
  const { location } = globalThis as { readonly location?: { readonly href: string } };
  const url = addressBelow(location === undefined ? new URL(shop) : new URL(shop, location.href), 'v1/offers');
  const document = await getDocument(fetch, url);
  const parsed = campaignFileSchema.safeParse(document === null ? null : parseJson(document.bytes, url));
  if (!parsed.success) throw new CestaError('protocol.malformed', `${url}: ${describeIssues(parsed.error)}`, { cause: parsed.error });
  return parsed.data;
}

/** Without items of sensitive categories: they are no reason for an offer, and nobody counts them. */
function eventsOf(cesta: Pick<Cesta, 'interests' | 'isSensitive'>): StoredEvent[] {
  return cesta.interests().events.filter(({ item_id: id }) => !withoutRelease(() => cesta.isSensitive(id), true));
}

/** Of what was viewed, as far as the release knows it; none before there is one. */
function categoriesOf(cesta: Pick<Cesta, 'recentlyViewed'>): [string, string][] {
  return withoutRelease(() => cesta.recentlyViewed({ limit: viewedItems }), []).flatMap(({ item_id: id, category }) => (category === undefined ? [] : [[id, category]]));
}

function withoutRelease<T>(ask: () => T, otherwise: T): T {
  try {
    return ask();
  } catch (thrown) {
    if (thrown instanceof CestaError && thrown.code === 'release.not-found') return otherwise;
    throw thrown;
  }
}
