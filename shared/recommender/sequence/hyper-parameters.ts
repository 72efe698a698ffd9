/**
 * What a plan says of a sequence model; whatever changes the layout of the weights is here too. Positions, batch, rates,
 * negatives, dropout and epochs were chosen among few on the second-to-last baskets of Online Retail (protocol `validation`),
 * mostly with two towers, and never on a last one. Six passes ranked worse than three. Two towers
 * in 20 shops took one pass a round and 1.5 times the mean change. What a contribution is scaled to was not tuned.
 */
import * as z from 'zod';

export const architectures = ['sasrec', 'gru4rec', 'two-tower'] as const;
export type Architecture = (typeof architectures)[number];

const rate = z.number().finite().positive().max(1000);

export const sequenceHyperParameters = z.strictObject({
  architecture: z.enum(architectures).default('sasrec'),
  /** Numbers in a row of an item, and in the state of a shopper. */
  width: z.number().int().min(2).max(512).default(64),
  /** Self-attention blocks of `sasrec`; the others have none. */
  blocks: z.number().int().min(1).max(8).default(1),
  /** Items of a history that count, the newest; a window of training is as long. */
  positions: z.number().int().min(1).max(500).default(100),
  /**
   * `softmax`: the right item against `negatives` items drawn for the whole batch, or against all where there are no more.
   * `bce`: against one item drawn for it alone, as Kang and McAuley 2018 train.
   */
  loss: z.enum(['softmax', 'bce']).default('softmax'),
  negatives: z.number().int().min(1).max(100_000).default(256),
  dropout: z.number().min(0).lt(1).default(0.4),
  /** `shuffled`: the items of one visit have no order, and every epoch draws one. `kept`: as they stand. */
  basketOrder: z.enum(['shuffled', 'kept']).default('shuffled'),
  /** Unix seconds, 'today': what shoppers went on to lately counts most. Null: all counts alike. */
  asOf: z.number().int().nonnegative().nullable().default(null),
  /** Days before `asOf` after which what a shopper went on to counts half. */
  halfLifeDays: rate.default(90),
  /** Passes over a participant's data in one training: all of them where one party holds it all, few where rounds follow. */
  localEpochs: z.number().int().min(1).max(1000).default(3),
  /** Windows in a step of a local training. */
  batch: z.number().int().min(1).max(4096).default(16),
  /** `adaptive`: Adam, and Adagrad for rows of items. `sgd`: plain steps of a fixed rate, which SCAFFOLD needs. */
  optimiser: z.enum(['adaptive', 'sgd']).default('adaptive'),
  /** Of Adam, or of the plain steps. */
  learningRate: rate.default(0.003),
  /** Of Adagrad on rows of items. */
  rowLearningRate: rate.default(0.05),
  /** Of the one plain step that a shopper's contribution is. */
  contributionRate: rate.default(1),
  /** L2 norm that a contribution is scaled down to. */
  contributionNorm: rate.default(1),
});

export type SequenceHyperParameters = Readonly<z.output<typeof sequenceHyperParameters>>;
