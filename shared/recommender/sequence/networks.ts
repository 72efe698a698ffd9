/** The architectures by name. */
import { gru4rec } from './gru4rec.ts';
import type { SequenceHyperParameters } from './hyper-parameters.ts';
import type { SequenceNetwork } from './network.ts';
import { sasrec } from './sasrec.ts';
import { twoTower } from './two-tower.ts';

export function networkOf({ architecture, ...settings }: Pick<SequenceHyperParameters, 'architecture' | 'width' | 'blocks' | 'positions'>): SequenceNetwork {
  switch (architecture) {
    case 'sasrec':
      return sasrec(settings);
    case 'gru4rec':
      return gru4rec(settings.width);
    case 'two-tower':
      return twoTower(settings.width);
    default:
      return architecture satisfies never;
  }
}
