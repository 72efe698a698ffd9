/** The defences a push is tried against, each alone, and the attackers. */
import type { RobustSpec } from '../../../shared/federation/robust/rule.ts';
import { fewestRows } from '../../../shared/federation/robust/combine-rows.ts';
import { robustRules } from '../../../shared/federation/robust/rule.ts';
import { fewestParticipants } from '../../../shared/secagg/terms.ts';

/** `plain`: no bounds beyond the model's own. `clipped`: clip norm and row cap. `masked`: shares of noise under masks; `grouped`: the same in groups with a masked sum each. `local`: every shop all noise. */
export type Terms = 'plain' | 'clipped' | 'masked' | 'grouped' | 'local';

export interface Defence {
  readonly name: string;
  readonly terms: Terms;
  readonly robust?: RobustSpec;
}

export interface Attacker {
  readonly name: string;
  /** `shoppers`: so many of them, over all shops. `shop`: one, and whether it keeps to the bounds of its plan. */
  readonly kind: 'none' | 'shoppers' | 'shop' | 'shop-beyond';
  /** Fakes for each honest shopper. */
  readonly share: number;
}

export const attackers: readonly Attacker[] = [
  { name: 'nobody', kind: 'none', share: 0 },
  { name: '1 % of shoppers', kind: 'shoppers', share: 0.01 },
  { name: '5 % of shoppers', kind: 'shoppers', share: 0.05 },
  { name: 'one shop, in bounds', kind: 'shop', share: 0 },
  { name: 'one shop, beyond them', kind: 'shop-beyond', share: 0 },
];

/** Of the shops that are there, so many are waited for. */
export function quorumOf(shops: number): number {
  return Math.ceil(0.8 * shops);
}

/** @param byzantine that shops and rules withstand; rules that need more shops than there are are left out */
export function defencesFor(shops: number, epsilon: number, byzantine: number): Defence[] {
  const rules = robustRules.filter((rule) => shops >= fewestRows(rule, byzantine));
  const groups = Math.floor(quorumOf(shops) / fewestParticipants);
  return [
    { name: 'none', terms: 'plain' },
    { name: 'clip and row cap', terms: 'clipped' },
    { name: `noise, epsilon ${epsilon}, masked`, terms: 'masked' },
    { name: `noise, epsilon ${epsilon}, local`, terms: 'local' },
    ...rules.map((rule): Defence => ({ name: `${rule}, f = ${byzantine}`, terms: 'clipped', robust: { rule, byzantine } })),
    ...(rules.includes('multi-krum') ? [{ name: `multi-krum, f = ${byzantine}, local noise`, terms: 'local', robust: { rule: 'multi-krum', byzantine } } as const] : []),
    ...(groups >= 3 ? [{ name: `median of ${groups} masked groups, noise`, terms: 'grouped', robust: { rule: 'median', byzantine: 1, groups } } as const] : []),
  ];
}
