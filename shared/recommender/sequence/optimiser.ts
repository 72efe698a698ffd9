/**
 * Steps on the flat weights. Rows of items: Adagrad, Duchi, Hazan and Singer 2011, which gives rare items large steps.
 * Dense blocks: Adam, Kingma and Ba 2015. Or plain steps of one fixed rate for both.
 */
import type { StepVectors } from '../../kernels/step-vectors.ts';
import type { Gradient } from './gradient.ts';
import type { Layout } from './layout.ts';

type Touched = Pick<Gradient, 'touched'>;

export interface Optimiser {
  /** One step against the gradient that the vectors hold; `everywhere`: rows that no batch touched have one too. */
  step(gradient: Touched, everywhere: boolean): void;
}

export function plainSteps(layout: Layout, vectors: StepVectors, learningRate: number): Optimiser {
  return { step: (gradient, everywhere) => forEachRange(layout, gradient, everywhere, (from, to) => vectors.sgd(from, to, learningRate)) };
}

const [meanDecay, squareDecay, tiny] = [0.9, 0.999, 1e-8];
/** Adagrad's sums start here, so that a first gradient near zero is no full step. */
const firstSquare = 1e-6;

export function adaptiveSteps(layout: Layout, vectors: StepVectors, { learningRate, rowLearningRate }: { readonly learningRate: number; readonly rowLearningRate: number }): Optimiser {
  const { dense, length } = layout;
  vectors.squares.fill(firstSquare, 0, dense);
  let steps = 0;
  return {
    step(gradient, everywhere) {
      steps += 1;
      const rate = (learningRate * Math.sqrt(1 - squareDecay ** steps)) / (1 - meanDecay ** steps);
      forEachRange(layout, gradient, everywhere, (from, to) => {
        if (from < dense) vectors.adagrad(from, Math.min(to, dense), { rate: rowLearningRate, epsilon: 0 });
      });
      vectors.adam(dense, length, { rate, epsilon: tiny, shareMean: 1 - meanDecay, shareSquare: 1 - squareDecay });
    },
  };
}

/** The stretches of the vector that a gradient may be other than zero in. */
export function forEachRange({ width, bias, dense, length }: Layout, { touched }: Touched, everywhere: boolean, visit: (from: number, to: number) => void): void {
  if (everywhere) {
    visit(0, length);
    return;
  }
  for (const item of touched) {
    visit(item * width, (item + 1) * width);
    visit(bias + item, bias + item + 1);
  }
  visit(dense, length);
}
