/** The protections an attack is tried against: none, each alone, and together. */

/** What protects; `sum` and `noise` alone, `protected` is both. */
export const settingKinds = ['plain', 'clipped', 'masked', 'sum', 'noise', 'protected'] as const;
export type SettingKind = (typeof settingKinds)[number];

export interface Setting {
  readonly kind: SettingKind;
  readonly name: string;
  /** Shoppers in the view. */
  readonly participants: number;
  /** Of the noise in the view; null without. */
  readonly epsilon: number | null;
  /** Of the plan whose bounds hold; null where nothing is clipped. */
  readonly planEpsilon: number | null;
  readonly isMasked: boolean;
}

/**
 * The smallest and the largest sum stand for the protected setting.
 * @param participants Sizes of sums, at least 2 each; one or more.
 * @param epsilons One or more.
 */
export function settingsOf(participants: readonly number[], epsilons: readonly number[]): Setting[] {
  const open = { epsilon: null, planEpsilon: null, isMasked: false };
  const protectedSizes = [...new Set([Math.min(...participants), Math.max(...participants)])];
  return [
    { ...open, kind: 'plain', name: 'one upload in the clear', participants: 1 },
    { ...open, kind: 'clipped', name: 'clip and row cap', participants: 1, planEpsilon: epsilons[0] },
    { ...open, kind: 'masked', name: 'one masked upload', participants: 1, isMasked: true },
    ...participants.map((count): Setting => ({ ...open, kind: 'sum', name: `sum of ${count}`, participants: count })),
    ...epsilons.map((epsilon): Setting => ({ kind: 'noise', name: `one upload, epsilon ${epsilon}`, participants: 1, epsilon, planEpsilon: epsilon, isMasked: false })),
    ...protectedSizes.flatMap((count) => epsilons.map((epsilon): Setting => ({
      kind: 'protected', name: `sum of ${count}, epsilon ${epsilon}`, participants: count, epsilon, planEpsilon: epsilon, isMasked: false,
    }))),
  ];
}
