/**
 * What a jurisdiction asks of a federation, as far as settings can express it. Presets, not legal advice: who operates a
 * federation has to know what else applies.
 */
export const jurisdictionNames = ['gdpr', 'ccpa'] as const;
export type JurisdictionName = (typeof jurisdictionNames)[number];

export interface Jurisdiction {
  readonly name: JurisdictionName;
  readonly title: string;
  /** Before the shopper chose anything: the `defaultDegree` of a storefront. */
  readonly defaultDegree: 0 | 1;
  /** How Global Privacy Control holds the degree down: `binding` until the person opts in again; `cap` until they have seen it. */
  readonly globalPrivacyControl: 'binding' | 'cap';
  /** From the discovery of a breach to the notice of the authority; null where there is no fixed time. */
  readonly breachNoticeHours: number | null;
  readonly authority: string;
  /** For answers to shoppers who exercise a right. */
  readonly answerDays: number;
  readonly lawfulBasis: string;
  /** Where data may go without further grounds: ISO 3166 alpha-2; null: anywhere. */
  readonly freeTransferTo: readonly string[] | null;
  readonly sources: readonly string[];
}

/** European Economic Area, and the countries with an adequacy decision of the Commission as of 2025. */
const freeUnderGdpr = [
  'AT', 'BE', 'BG', 'CY', 'CZ', 'DE', 'DK', 'EE', 'ES', 'FI', 'FR', 'GR', 'HR', 'HU', 'IE', 'IS', 'IT', 'LI', 'LT', 'LU', 'LV', 'MT', 'NL', 'NO', 'PL', 'PT', 'RO', 'SE', 'SI', 'SK',
  'AD', 'AR', 'CH', 'FO', 'GB', 'GG', 'IL', 'IM', 'JE', 'JP', 'KR', 'NZ', 'UY',
];

export const jurisdictions: Readonly<Record<JurisdictionName, Jurisdiction>> = {
  gdpr: {
    name: 'gdpr',
    title: 'General Data Protection Regulation (EU) 2016/679',
    defaultDegree: 0,
    globalPrivacyControl: 'cap',
    breachNoticeHours: 72,
    authority: 'the competent supervisory authority (Art. 55)',
    answerDays: 30,
    lawfulBasis: 'consent (Art. 6(1)(a)), given as a degree of personalisation and withdrawn in one step (Art. 7(3))',
    freeTransferTo: freeUnderGdpr,
    sources: ['Art. 6, 7, 12(3), 25, 30, 33, 34, 44-49 GDPR'],
  },
  ccpa: {
    name: 'ccpa',
    title: 'California Consumer Privacy Act, as amended by the CPRA (Cal. Civ. Code 1798.100 ff.)',
    defaultDegree: 1,
    globalPrivacyControl: 'binding',
    breachNoticeHours: null,
    authority: 'the Attorney General of California, where more than 500 residents are concerned (Cal. Civ. Code 1798.82)',
    answerDays: 45,
    lawfulBasis: 'notice at collection and the right to opt out (Cal. Civ. Code 1798.100, 1798.120); joining rounds by opt-in',
    freeTransferTo: null,
    sources: ['Cal. Civ. Code 1798.82, 1798.100, 1798.120, 1798.130, 1798.135(e)', '11 CCR 7025 (opt-out preference signals)'],
  },
};
