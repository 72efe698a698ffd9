/** What the processes of the hostile audit are told, and the task they work on. */
import { z } from 'zod';
import { defaultGatewayLimits } from '../../../server/gateway/context.ts';
import { defaultIdentityLimits } from '../../../server/identity/limits.ts';

export type HostileMode = 'local' | 'distributed';

const bucket = z.strictObject({ burst: z.number(), perSecond: z.number() });
const limitsSchema = z.strictObject(Object.fromEntries(Object.keys(defaultGatewayLimits).map((name) => [name, z.number()])) as Record<keyof typeof defaultGatewayLimits, z.ZodNumber>);
const identityLimitsSchema = z.strictObject(Object.fromEntries(Object.keys(defaultIdentityLimits).map((name) => [name, bucket])) as Record<keyof typeof defaultIdentityLimits, typeof bucket>);

export const coordinatorOptionsSchema = z.strictObject({
  mode: z.enum(['local', 'distributed']),
  dataDir: z.string(),
  rounds: z.number().int(),
  limits: limitsSchema,
  identityLimits: identityLimitsSchema,
  behindTlsProxy: z.boolean(),
});
export type CoordinatorProcessOptions = z.infer<typeof coordinatorOptionsSchema>;

export const shopsOptionsSchema = z.strictObject({ coordinator: z.url(), files: z.array(z.string()), stateDir: z.string() });

/** What the process of the honest shops tells, a line each. */
export const shopLineSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('reported'), shop: z.string(), round: z.string() }),
  z.strictObject({ kind: z.literal('ended'), shop: z.string(), rounds: z.number() }),
  z.strictObject({ kind: z.literal('lost'), shop: z.string(), reason: z.string() }),
]);
export type ShopLine = z.infer<typeof shopLineSchema>;

export const honestShops = 6;
/** Attackers that may be in one round; in masked sums the plan has noise for as many that leave. */
export const guests = { local: 24, distributed: 2 } as const;

/** Everybody who is ready is invited, so that attackers crowd nobody out; a round closes once the honest shops have reported. */
export function taskOf({ mode, rounds }: Pick<CoordinatorProcessOptions, 'mode' | 'rounds'>): object {
  return {
    name: 'hostile',
    model: { kind: 'popularity' },
    privacy: { mode, epsilon: 50, delta: 1e-5, rounds, ...(mode === 'distributed' ? { tolerated: guests.distributed, colluding: 1 } : {}) },
    cohort: { minParticipants: honestShops, targetParticipants: mode === 'distributed' ? honestShops + guests.distributed : honestShops + guests.local, overSelection: 2 },
    deadlines: { recruitingMs: 4_000, trainingMs: 4_000 },
    maxShoppersPerShop: 100,
  };
}
