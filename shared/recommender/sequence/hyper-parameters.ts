/**
 * What a plan says of a sequence model; whatever changes the layout of the weights is here too. Positions, batch, rates,
 * negatives, dropout and epochs were chosen among few on the second-to-last baskets of Online Retail (protocol `validation`),
 * mostly with two towers, and never on a last one. Six passes ranked worse than three. Two towers
 * in 20 shops took one pass a round and 1.5 times the mean change. What a contribution is scaled to was not tuned.
 */
import * as z from 'zod/mini';

export const architectures = ['sasrec', 'gru4rec', 'two-tower'] as const;
export type Architecture = (typeof architectures)[number];

const rate = z.number().check(z.positive(), z.lte(1000));

export const sequenceHyperParameters = z.strictObject({
  architecture: z._default(z.enum(architectures), 'sasrec'),
  /** Numbers in a row of an item, and in the state of a shopper. */
  width: z._default(z.int().check(z.gte(2), z.lte(512)), 64),
  /** Self-attention blocks of `sasrec`; the others have none. */
  blocks: z._default(z.int().check(z.gte(1), z.lte(8)), 1),
  /** Items of a history that count, the newest; a window of training is as long. */
  positions: z._default(z.int().check(z.gte(1), z.lte(500)), 100),
  /**
   * `softmax`: the right item against `negatives` items drawn for the whole batch, or against all where there are no more.
   * `bce`: against one item drawn for it alone, as Kang and McAuley 2018 train.
   */
  loss: z._default(z.enum(['softmax', 'bce']), 'softmax'),
  negatives: z._default(z.int().check(z.gte(1), z.lte(100_000)), 256),
  dropout: z._default(z.number().check(z.gte(0), z.lt(1)), 0.4),
  /** `shuffled`: the items of one visit have no order, and every epoch draws one. `kept`: as they stand. */
  basketOrder: z._default(z.enum(['shuffled', 'kept']), 'shuffled'),
  /** Unix seconds, 'today': what shoppers went on to lately counts most. Null: all counts alike. */
  asOf: z._default(z.nullable(z.int().check(z.nonnegative())), null),
  /** Days before `asOf` after which what a shopper went on to counts half. */
  halfLifeDays: z._default(rate, 90),
  /** Passes over a participant's data in one training: all of them where one party holds it all, few where rounds follow. */
  localEpochs: z._default(z.int().check(z.gte(1), z.lte(1000)), 3),
  /** Windows in a step of a local training. */
  batch: z._default(z.int().check(z.gte(1), z.lte(4096)), 16),
  /** `adaptive`: Adam, and Adagrad for rows of items. `sgd`: plain steps of a fixed rate, which SCAFFOLD needs. */
  optimiser: z._default(z.enum(['adaptive', 'sgd']), 'adaptive'),
  /** Of Adam, or of the plain steps. */
  learningRate: z._default(rate, 0.003),
  /** Of Adagrad on rows of items. */
  rowLearningRate: z._default(rate, 0.05),
  /** Of the one plain step that a shopper's contribution is. */
  contributionRate: z._default(rate, 1),
  /** L2 norm that a contribution is scaled down to. */
  contributionNorm: z._default(rate, 1),
});

export type SequenceHyperParameters = Readonly<z.output<typeof sequenceHyperParameters>>;
