/**
 * Offers on a device: the shop sends all of them to everybody, and which of them are for this shopper is found out here. Nothing
 * of it leaves the page but, at degree 3 and for campaigns that are measured, one randomised report (measure.ts).
 */
import { campaignFileSchema, isFor, subjectOf, type Campaign, type CampaignFile } from '../../shared/commerce/campaigns.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { describeIssues } from '../../shared/protocol/issues.ts';
import { getDocument, addressBelow, parseJson, type Fetch } from '../http.ts';
import type { Cesta } from './api.ts';
import type { Measure } from './measure.ts';

export interface OffersOptions {
  readonly cesta: Pick<Cesta, 'privacy' | 'interests' | 'recentlyViewed'>;
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
  /** Notes purchases since, and sends reports that are due. */
  settle(): Promise<void>;
  /** Experiments that run at this shop. */
  readonly experiments: CampaignFile['experiments'];
}

/** As many viewed items as are looked at for their categories. */
const viewedItems = 100;

/**
 * @throws CestaError `network.unreachable`, `protocol.malformed`
 * @example
 * const offers = await openOffers({ cesta, shop: '/shop' });
 * for (const { text, items } of await offers.pick(2)) show(text, items);
 */
export async function openOffers({ cesta, shop, measure, fetch = globalThis.fetch.bind(globalThis), now = Date.now }: OffersOptions): Promise<Offers> {
  const file = await fetchOffers(fetch, shop);
  const timesShown = new Map<string, number>();
  const measured = (campaign: Campaign) => (measure === undefined ? null : subjectOf(campaign));

  /** In the control arm a campaign is not shown, and only what is bought all the same is counted. */
  async function isLeftOut(campaign: Campaign): Promise<boolean> {
    const subject = measured(campaign);
    if (subject === null || subject.arms.length === 1) return false;
    return (await measure?.arm(subject)) === 0;
  }

  return {
    experiments: file.experiments,
    async pick(limit) {
      const { events, unwanted } = cesta.interests();
      const categories = new Map(categoriesOf(cesta));
      const profile = { events, unwanted, channels: cesta.privacy.settings.channels, categoryOf: (id: string) => categories.get(id), timesShown: (id: string) => timesShown.get(id) ?? 0 };
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
      const purchases = cesta.interests().events.filter(({ event }) => event === 'purchase');
      for (const campaign of file.campaigns) {
        const subject = measured(campaign);
        if (subject === null || measure === undefined) continue;
        const fromHour = Math.floor(Date.parse(campaign.from) / 3_600_000);
        if (purchases.some(({ hour, item_id: id }) => hour >= fromHour && campaign.items.includes(id))) await measure.note(subject, 'purchase');
        await measure.report(subject);
      }
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

/** Of what was viewed, as far as the release knows it; none before there is one. */
function categoriesOf(cesta: Pick<Cesta, 'recentlyViewed'>): [string, string][] {
  try {
    return cesta.recentlyViewed({ limit: viewedItems }).flatMap(({ item_id: id, category }) => (category === undefined ? [] : [[id, category]]));
  } catch (thrown) {
    if (thrown instanceof CestaError && thrown.code === 'release.not-found') return [];
    throw thrown;
  }
}
