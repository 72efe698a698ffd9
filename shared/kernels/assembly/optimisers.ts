// Steps of optimisers: on all weights (Adam), or on gathered rows of a table (SGD, Adagrad).

/** `weights -= rate * gradients` */
export function sgd(weights: usize, gradients: usize, length: i32, rate: f32): void {
  const bytes = <usize>length << 2;
  const vectors: usize = <usize>(length & ~3) << 2;
  const rates = f32x4.splat(rate);
  let at: usize = 0;
  for (; at < vectors; at += 16) {
    v128.store(weights + at, f32x4.sub(v128.load(weights + at), f32x4.mul(rates, v128.load(gradients + at))));
  }
  for (; at < bytes; at += 4) store<f32>(weights + at, load<f32>(weights + at) - rate * load<f32>(gradients + at));
}

/** `squares += gradients^2; weights -= rate * gradients / (sqrt(squares) + epsilon)` */
export function adagrad(weights: usize, squares: usize, gradients: usize, length: i32, rate: f32, epsilon: f32): void {
  const bytes = <usize>length << 2;
  const vectors: usize = <usize>(length & ~3) << 2;
  const rates = f32x4.splat(rate);
  const epsilons = f32x4.splat(epsilon);
  let at: usize = 0;
  for (; at < vectors; at += 16) {
    const gradient = v128.load(gradients + at);
    const square = f32x4.add(v128.load(squares + at), f32x4.mul(gradient, gradient));
    v128.store(squares + at, square);
    v128.store(weights + at, f32x4.sub(v128.load(weights + at), f32x4.div(f32x4.mul(rates, gradient), f32x4.add(f32x4.sqrt(square), epsilons))));
  }
  for (; at < bytes; at += 4) {
    const gradient = load<f32>(gradients + at);
    const square: f32 = load<f32>(squares + at) + gradient * gradient;
    store<f32>(squares + at, square);
    store<f32>(weights + at, load<f32>(weights + at) - (rate * gradient) / (sqrt<f32>(square) + epsilon));
  }
}

/**
 * Adam (Kingma and Ba 2015) with the corrections of both moments in `rate` and `epsilon`:
 * `means += (1 - beta1) (gradients - means); squares += (1 - beta2) (gradients^2 - squares);
 * weights -= rate * means / (sqrt(squares) + epsilon)`
 */
export function adam(weights: usize, means: usize, squares: usize, gradients: usize, length: i32, rate: f32, shareMean: f32, shareSquare: f32, epsilon: f32): void {
  const bytes = <usize>length << 2;
  const vectors: usize = <usize>(length & ~3) << 2;
  const rates = f32x4.splat(rate);
  const shareMeans = f32x4.splat(shareMean);
  const shareSquares = f32x4.splat(shareSquare);
  const epsilons = f32x4.splat(epsilon);
  let at: usize = 0;
  for (; at < vectors; at += 16) {
    const gradient = v128.load(gradients + at);
    let mean = v128.load(means + at);
    let square = v128.load(squares + at);
    mean = f32x4.add(mean, f32x4.mul(shareMeans, f32x4.sub(gradient, mean)));
    square = f32x4.add(square, f32x4.mul(shareSquares, f32x4.sub(f32x4.mul(gradient, gradient), square)));
    v128.store(means + at, mean);
    v128.store(squares + at, square);
    v128.store(weights + at, f32x4.sub(v128.load(weights + at), f32x4.div(f32x4.mul(rates, mean), f32x4.add(f32x4.sqrt(square), epsilons))));
  }
  for (; at < bytes; at += 4) {
    const gradient = load<f32>(gradients + at);
    const mean: f32 = load<f32>(means + at) + shareMean * (gradient - load<f32>(means + at));
    const square: f32 = load<f32>(squares + at) + shareSquare * (gradient * gradient - load<f32>(squares + at));
    store<f32>(means + at, mean);
    store<f32>(squares + at, square);
    store<f32>(weights + at, load<f32>(weights + at) - (rate * mean) / (sqrt<f32>(square) + epsilon));
  }
}
