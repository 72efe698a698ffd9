/**
 * Every text of the widgets, as one table a language: a language that lacks one does not compile. `{name}` is filled in; a
 * plural has the forms that Intl.PluralRules asks for in its language.
 */
import type { Degree } from '../../../../shared/commerce/consent.ts';
import type { Channel, Surface } from '../../../../shared/commerce/preferences.ts';
import type { PrivacyState, SignalName } from '../../api.ts';

export const languages = ['en', 'es', 'pl', 'ar'] as const;
export type Language = (typeof languages)[number];

export type Plural = Readonly<Partial<Record<Intl.LDMLPluralRule, string>> & { other: string }>;

/** Sixty words at most in all: what, why, where it stays. */
export interface ShortNotice {
  readonly what: string;
  readonly why: string;
  readonly where: string;
}

/** The device's own bounds on epsilon that have a name. */
export const boundNames = { 0.5: 'strict', 1: 'careful', 2: 'balanced', 4: 'generous' } as const;
export type BoundName = (typeof boundNames)[keyof typeof boundNames];

export interface Texts {
  readonly language: Language;
  readonly direction: 'ltr' | 'rtl';
  readonly notice: ShortNotice;
  readonly shelf: ShelfTexts;
  readonly panel: PanelTexts;
  readonly degrees: Readonly<Record<Degree, { readonly name: string; readonly means: string }>>;
}

export interface ShelfTexts {
  readonly heading: Readonly<Record<Surface, string>>;
  readonly empty: string;
  readonly failed: string;
  readonly retry: string;
  readonly updated: Plural;
  /** Why an item is here; `{item}` is another item's title. */
  readonly because: { readonly visit: string; readonly device: string; readonly similar: string; readonly personal: string; readonly popular: string; readonly new: string };
  readonly notInterested: string;
  readonly notInterestedIn: string;
  readonly variety: string;
  readonly lessVariety: string;
  readonly moreVariety: string;
  readonly degree: string;
  readonly close: string;
}

export interface PanelTexts {
  readonly heading: string;
  readonly noticeHeading: string;
  readonly longNotice: string;
  readonly degree: string;
  readonly save: string;
  readonly saved: string;
  /** Why a degree is held down; `{degree}` is the highest that is let. */
  readonly cap: Readonly<Record<SignalName, string>>;
  readonly despiteGpc: string;
  readonly withdrawal: string;
  readonly noise: string;
  readonly numbers: string;
  readonly stored: string;
  readonly events: Plural;
  readonly items: Plural;
  readonly place: Readonly<Record<PrivacyState['stored']['place'], string>>;
  readonly sent: string;
  /** `{bytes}` has its unit. */
  readonly sentIn: string;
  readonly messages: Plural;
  readonly spent: string;
  readonly spentOf: string;
  readonly nothingSpent: string;
  readonly odds: string;
  readonly lastRound: string;
  readonly noRound: string;
  readonly takesPart: string;
  readonly participation: Readonly<Record<PrivacyState['participation'], string>>;
  readonly surfaces: string;
  readonly surface: Readonly<Record<Surface, string>>;
  readonly channels: string;
  readonly channel: Readonly<Record<Channel, string>>;
  readonly bound: string;
  /** One choice: `{name}` of bounds, and what it means. */
  readonly boundMeans: string;
  readonly bounds: Readonly<Record<BoundName | 'own', string>>;
  readonly interests: string;
  readonly noInterests: string;
  readonly remove: string;
  readonly removeItem: string;
  readonly unwanted: string;
  readonly data: string;
  readonly export: string;
  readonly import: string;
  readonly imported: string;
  readonly erase: string;
  readonly eraseSure: string;
  readonly eraseYes: string;
  readonly keep: string;
  readonly erased: string;
  readonly receipts: string;
  readonly noReceipts: string;
  readonly receipt: string;
  readonly errors: { readonly notice: string; readonly capped: string; readonly unreachable: string; readonly unreadable: string; readonly needed: string; readonly other: string };
}
