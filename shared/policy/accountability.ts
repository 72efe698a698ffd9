/** Who answers for a federation and who helps them: what `/.well-known/cesta.json` says beside the model. */
import * as z from 'zod';
import { jurisdictionNames, jurisdictions, type Jurisdiction, type JurisdictionName } from './jurisdictions.ts';

/** Whoever processes data on behalf of the controller (Art. 28 GDPR). */
export const processorSchema = z.strictObject({
  name: z.string().min(1).max(200),
  purpose: z.string().min(1).max(500),
  /** ISO 3166 alpha-2. */
  country: z.string().regex(/^[A-Z]{2}$/),
});
export type Processor = Readonly<z.infer<typeof processorSchema>>;

export interface Accountability {
  readonly controller: { readonly name: string; readonly contact: string | null } | null;
  readonly jurisdiction: JurisdictionName | null;
  readonly processors: readonly Processor[];
}

export const nobodyNamed: Accountability = { controller: null, jurisdiction: null, processors: [] };

/** What a storefront can go by: where its shoppers start, and what a signal of theirs means. */
export const publicJurisdictionSchema = z.strictObject({
  name: z.enum(jurisdictionNames),
  title: z.string(),
  defaultDegree: z.union([z.literal(0), z.literal(1)]),
  globalPrivacyControl: z.enum(['binding', 'cap']),
  answerDays: z.number().int(),
});

export function publicJurisdiction(name: JurisdictionName): z.infer<typeof publicJurisdictionSchema> {
  const { title, defaultDegree, globalPrivacyControl, answerDays }: Jurisdiction = jurisdictions[name];
  return { name, title, defaultDegree, globalPrivacyControl, answerDays };
}
