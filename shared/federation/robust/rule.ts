/**
 * What a task asks for against participants that report to spoil the sum: a rule that combines reports, or sums of
 * groups of reports, so that a few of them cannot move it far. Rules look at vectors alone.
 */
import * as z from 'zod/mini';

export const robustRules = ['median', 'trimmed-mean', 'krum', 'multi-krum', 'bulyan', 'geometric-median'] as const;
export type RobustRule = (typeof robustRules)[number];

/** Rules that go coordinate by coordinate: the only ones that make sense of sums of few groups. */
export const groupRules = ['median', 'trimmed-mean'] as const satisfies readonly RobustRule[];

/** Of two sums nobody knows which is spoilt. */
export const fewestGroups = 3;
/** An entry of the public record names the members of each. */
export const mostGroups = 500;

export const robustSchema = z.strictObject({
  rule: z.enum(robustRules),
  /** Reports, or groups, that may be spoilt: what the rule is made to withstand. */
  byzantine: z.int().check(z.positive(), z.lte(10_000)),
  /** Mode `distributed`: members are drawn into so many groups, each with a masked sum and the noise of a whole promise. */
  groups: z.optional(z.int().check(z.gte(fewestGroups), z.lte(mostGroups))),
});

export type RobustSpec = Readonly<z.output<typeof robustSchema>>;
