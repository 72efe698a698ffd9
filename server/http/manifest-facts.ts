/** What `/.well-known/cesta.json` says to whoever wonders what becomes of their data: in figures and in words. */
import type { z } from 'zod';
import type { Catalogue } from '../../shared/commerce/catalogue.ts';
import { budgetReport } from '../../shared/federation/budget-report.ts';
import { withFirstCount } from '../../shared/federation/stages.ts';
import { publicJurisdiction, type Accountability } from '../../shared/policy/accountability.ts';
import type { ModelKind } from '../../shared/recommender/federated-model.ts';
import type { SpendRecord } from '../storage/storage.ts';
import type { federationSchema } from './schemas.ts';
import type { ServedTask } from './task-routes.ts';

type Facts = Pick<z.input<typeof federationSchema>, 'parameters' | 'privacy' | 'controller' | 'jurisdiction' | 'processors'>;

const learned: Readonly<Record<ModelKind, string>> = {
  neighbours: 'which products are bought together, among those whose public titles and prices are alike',
  popularity: 'how often a product is bought',
  'item-knn': 'which products are bought together',
  ease: 'which products are bought together',
  slist: 'which products follow which',
  als: 'what products have in common, from what is bought together and from their public titles',
  sequence: 'which product comes next, from the newest products of a history and from public titles',
};

export function manifestFacts({ spec }: Pick<ServedTask, 'spec'>, spends: readonly SpendRecord[], fixed: Catalogue | null, { controller, jurisdiction, processors }: Accountability): Facts {
  const { mode, unit, delta, epsilonLimit, epsilonSpent } = budgetReport(fixed === null ? spec : withFirstCount(spec, fixed), spends);
  return {
    parameters: [
      'what the shopper looked at, put in the basket and bought, as far as their degree of personalisation permits; it stays on their device or at their shop',
      `${learned[spec.model.kind]}, over all shops of the federation`,
      'how much variety the shopper asked for, and what they do not want to see',
    ],
    privacy: { mode, unit, delta, epsilonLimit, epsilonSpent },
    controller: controller === null ? null : { ...controller },
    jurisdiction: jurisdiction === null ? null : publicJurisdiction(jurisdiction),
    processors: processors.map((processor) => ({ ...processor })),
  };
}
