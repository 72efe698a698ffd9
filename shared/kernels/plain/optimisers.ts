/** Steps of optimisers, rounded to 32 bits after every operation, as the SIMD kernels round. Rates and shares are 32-bit numbers. */

/** `weights -= rate * gradients` */
export function sgd(weights: Float32Array, gradients: Float32Array, rate: number): void {
  const { fround } = Math;
  for (let at = 0; at < weights.length; at += 1) weights[at] -= fround(rate * gradients[at]);
}

/** `squares += gradients^2; weights -= rate * gradients / (sqrt(squares) + epsilon)` */
export function adagrad(weights: Float32Array, squares: Float32Array, gradients: Float32Array, { rate, epsilon }: { readonly rate: number; readonly epsilon: number }): void {
  const { fround, sqrt } = Math;
  for (let at = 0; at < weights.length; at += 1) {
    const gradient = gradients[at];
    const square = fround(squares[at] + fround(gradient * gradient));
    squares[at] = square;
    weights[at] -= fround(fround(rate * gradient) / fround(fround(sqrt(square)) + epsilon));
  }
}

export interface AdamTerms {
  readonly rate: number;
  readonly epsilon: number;
  /** 1 - beta1 and 1 - beta2. */
  readonly shareMean: number;
  readonly shareSquare: number;
}

/** Adam with the corrections of both moments in `rate` and `epsilon`. */
export function adam(weights: Float32Array, means: Float32Array, squares: Float32Array, gradients: Float32Array, { rate, epsilon, shareMean, shareSquare }: AdamTerms): void {
  const { fround, sqrt } = Math;
  for (let at = 0; at < weights.length; at += 1) {
    const gradient = gradients[at];
    const mean = fround(means[at] + fround(shareMean * fround(gradient - means[at])));
    const square = fround(squares[at] + fround(shareSquare * fround(fround(gradient * gradient) - squares[at])));
    means[at] = mean;
    squares[at] = square;
    weights[at] -= fround(fround(rate * mean) / fround(fround(sqrt(square)) + epsilon));
  }
}
