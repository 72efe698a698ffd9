/**
 * Steps on the flat weights. Rows of items: Adagrad, Duchi, Hazan and Singer 2011, which gives rare items large steps.
 * Dense blocks: Adam, Kingma and Ba 2015. Or plain steps of one fixed rate for both.
 */
import type { Gradient } from './gradient.ts';
import type { Layout } from './layout.ts';

export interface Optimiser {
  /** One step against a gradient; `everywhere`: rows that no batch touched have one too. */
  step(weights: Float32Array, gradient: Gradient, everywhere: boolean): void;
}

export function plainSteps(layout: Layout, learningRate: number): Optimiser {
  return {
    step(weights, gradient, everywhere) {
      forEachRange(layout, gradient, everywhere, (from, to) => {
        for (let at = from; at < to; at += 1) weights[at] -= learningRate * gradient.values[at];
      });
    },
  };
}

const [meanDecay, squareDecay, tiny] = [0.9, 0.999, 1e-8];
/** Adagrad's sums start here, so that a first gradient near zero is no full step. */
const firstSquare = 1e-6;

export function adaptiveSteps(layout: Layout, { learningRate, rowLearningRate }: { readonly learningRate: number; readonly rowLearningRate: number }): Optimiser {
  const { dense, length } = layout;
  const squares = new Float32Array(dense).fill(firstSquare);
  const mean = new Float32Array(length - dense);
  const square = new Float32Array(length - dense);
  let steps = 0;
  return {
    step(weights, gradient, everywhere) {
      const { values } = gradient;
      steps += 1;
      const rate = (learningRate * Math.sqrt(1 - squareDecay ** steps)) / (1 - meanDecay ** steps);
      forEachRange(layout, gradient, everywhere, (from, to) => {
        for (let at = from; at < Math.min(to, dense); at += 1) {
          squares[at] += values[at] * values[at];
          weights[at] -= (rowLearningRate * values[at]) / Math.sqrt(squares[at]);
        }
      });
      for (let at = dense; at < length; at += 1) {
        const own = at - dense;
        mean[own] += (1 - meanDecay) * (values[at] - mean[own]);
        square[own] += (1 - squareDecay) * (values[at] ** 2 - square[own]);
        weights[at] -= (rate * mean[own]) / (Math.sqrt(square[own]) + tiny);
      }
    },
  };
}

/** The stretches of the vector that a gradient may be other than zero in. */
export function forEachRange({ width, bias, dense, length }: Layout, { touched }: Pick<Gradient, 'touched'>, everywhere: boolean, visit: (from: number, to: number) => void): void {
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
