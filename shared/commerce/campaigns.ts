/**
 * Campaigns: an offer, when it runs, and whom it is for, expressed over what somebody did in this shop and nothing else: no
 * age, sex, place or income has a field here. The shop sends all offers to everybody; who sees which is decided where the
 * history is, on the device, or at the shop for shoppers who agreed to be stored there.
 */
import * as z from 'zod/mini';
import { meaningOf, type StoredEvent } from './device-events.ts';
import { visitsOf } from './device-history.ts';
import { experimentSchema, isRunning, measureSchema, subjectIdSchema, type Subject } from './experiments.ts';
import { channels, type Channel } from './preferences.ts';

const itemId = z.string().check(z.minLength(1), z.maxLength(256));

/** One thing that is so or not of a history. */
const conditionSchema = z.discriminatedUnion('kind', [
  /** Looked at, put in the basket or bought one of these. */
  z.strictObject({ kind: z.literal('viewed'), items: z.array(itemId).check(z.minLength(1), z.maxLength(500)) }),
  z.strictObject({ kind: z.literal('bought'), items: z.array(itemId).check(z.minLength(1), z.maxLength(500)) }),
  /** Has touched so many items of a category, by the beginning of its path. */
  z.strictObject({ kind: z.literal('category'), prefix: z.string().check(z.minLength(1), z.maxLength(512)), atLeast: z._default(z.int().check(z.gte(1), z.lte(1_000)), 1) }),
  z.strictObject({ kind: z.literal('visits'), atLeast: z.int().check(z.gte(1), z.lte(1_000)), withinDays: z.int().check(z.gte(1), z.lte(366)) }),
]);
export type Condition = Readonly<z.infer<typeof conditionSchema>>;

const conditions = z._default(z.array(conditionSchema).check(z.maxLength(10)), []);

export const campaignSchema = z.strictObject({
  id: subjectIdSchema,
  text: z.string().check(z.minLength(1), z.maxLength(300)),
  /** What it leads to. */
  items: z.array(itemId).check(z.minLength(1), z.maxLength(20)),
  channel: z.enum(channels),
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  /** All of `all` and none of `none`; without any, everybody. */
  audience: z.prefault(z.strictObject({ all: conditions, none: conditions }), {}),
  /** Sent to one shopper at most so often; on the site, shown so often between two loads of a page. */
  cap: z._default(z.int().check(z.gte(1), z.lte(100)), 3),
  /** Of the site: counted, with half of the devices left out for comparison if `control`; without it, nobody counts. */
  measure: z.optional(z.extend(measureSchema, { control: z._default(z.boolean(), true) })),
}).check(
  z.refine(({ from, to }) => from < to, 'expected from before to'),
  z.refine(({ channel, measure }) => channel === 'site' || measure === undefined, { path: ['measure'], message: 'expected none but on the channel site: devices count what they picked themselves, and nobody leaves a control out of what is sent' }),
);
/**
 * An offer, with whom it is for and how often it may be shown.
 * @interface
 */
export type Campaign = Readonly<z.infer<typeof campaignSchema>>;

const ids = (all: readonly { readonly id: string }[]): number => new Set(all.map(({ id }) => id)).size;

/** The file of `--campaigns`, and the body of `GET /v1/offers`: the same for everybody. */
export const campaignFileSchema = z.strictObject({
  campaigns: z._default(z.array(campaignSchema).check(z.maxLength(500)), []),
  experiments: z._default(z.array(experimentSchema).check(z.maxLength(100)), []),
}).check(z.refine(({ campaigns, experiments }) => ids([...campaigns, ...experiments]) === campaigns.length + experiments.length, 'expected distinct ids of campaigns and experiments'));
export type CampaignFile = Readonly<z.infer<typeof campaignFileSchema>>;

/** What an audience is tested on. */
export interface OfferProfile {
  readonly events: readonly StoredEvent[];
  /** Items that are not wanted. */
  readonly unwanted: readonly string[];
  readonly channels: Readonly<Record<Channel, boolean>>;
  /** Undefined for items that are not known, or have none. */
  readonly categoryOf: (itemId: string) => string | undefined;
  /** How often a campaign was shown or sent. */
  readonly timesShown: (campaign: string) => number;
}

/** Whether the campaign is for them, now. A channel that is off has nobody in it. */
export function isFor(campaign: Campaign, profile: OfferProfile, nowMs: number): boolean {
  const { channel, audience, cap, id, items } = campaign;
  return profile.channels[channel] && isRunning(campaign, nowMs) && profile.timesShown(id) < cap
    && !items.every((item) => profile.unwanted.includes(item))
    && audience.all.every((condition) => holds(condition, profile, nowMs))
    && !audience.none.some((condition) => holds(condition, profile, nowMs));
}

const secondsPerDay = 86_400;

function holds(condition: Condition, { events, categoryOf }: OfferProfile, nowMs: number): boolean {
  switch (condition.kind) {
    case 'viewed':
      return events.some((event) => meaningOf(event) === 'interest' && condition.items.includes(event.item_id));
    case 'bought':
      return boughtItems(events).some((id) => condition.items.includes(id));
    case 'category':
      return new Set(events.filter((event) => meaningOf(event) === 'interest' && categoryOf(event.item_id)?.startsWith(condition.prefix) === true).map(({ item_id: id }) => id)).size >= condition.atLeast;
    case 'visits':
      return visitsOf(events).filter(({ time }) => time >= nowMs / 1000 - condition.withinDays * secondsPerDay).length >= condition.atLeast;
    default:
      return condition satisfies never;
  }
}

/** Bought, and not given back. */
function boughtItems(events: readonly StoredEvent[]): string[] {
  const bought = new Set<string>();
  for (const { event, item_id: id } of events) {
    if (event === 'purchase') bought.add(id);
    if (event === 'refund') bought.delete(id);
  }
  return [...bought];
}

/** What is counted of a campaign; null where nothing is. The first arm sees nothing of it, where there is a control. */
export function subjectOf({ id, from, to, measure }: Campaign): Subject | null {
  if (measure === undefined) return null;
  const { control, ...terms } = measure;
  return { id, from, to, measure: terms, arms: control ? ['control', 'offer'] : ['offer'] };
}

/** Everything that is measured, by id. */
export function subjectsOf({ campaigns, experiments }: CampaignFile): ReadonlyMap<string, Subject> {
  const measured = [...experiments, ...campaigns.map(subjectOf).filter((subject) => subject !== null)];
  return new Map(measured.map((subject) => [subject.id, subject]));
}
