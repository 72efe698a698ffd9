/** The layers of tensor-layers.ts in typed arrays, row after row: what a storefront computes, without tensors. */

/** Keeps the division finite for a row of equal numbers. */
export const normEpsilon = 1e-5;

/** x W + b for every row of x. */
export function affineRows(x: Float32Array, weights: Float32Array, bias: Float32Array): Float32Array {
  const outputs = bias.length;
  const inputs = weights.length / outputs;
  const rows = x.length / inputs;
  const result = new Float32Array(rows * outputs);
  for (let row = 0; row < rows; row += 1) {
    const into = result.subarray(row * outputs, (row + 1) * outputs);
    into.set(bias);
    for (let k = 0; k < inputs; k += 1) {
      const value = x[row * inputs + k];
      if (value === 0) continue;
      for (let at = 0, weight = k * outputs; at < outputs; at += 1, weight += 1) into[at] += value * weights[weight];
    }
  }
  return result;
}

export function layerNormRows(x: Float32Array, scale: Float32Array, shift: Float32Array): Float32Array {
  const width = scale.length;
  const result = new Float32Array(x.length);
  for (let start = 0; start < x.length; start += width) {
    let mean = 0;
    for (let k = 0; k < width; k += 1) mean += x[start + k];
    mean /= width;
    let variance = 0;
    for (let k = 0; k < width; k += 1) variance += (x[start + k] - mean) ** 2;
    const inverse = 1 / Math.sqrt(variance / width + normEpsilon);
    for (let k = 0; k < width; k += 1) result[start + k] = (x[start + k] - mean) * inverse * scale[k] + shift[k];
  }
  return result;
}

/** max(0, x), in place. */
export function rectify(x: Float32Array): Float32Array {
  for (let at = 0; at < x.length; at += 1) if (x[at] < 0) x[at] = 0;
  return x;
}

/** Adds `other` to `x`, in place. */
export function addTo(x: Float32Array, other: Float32Array): Float32Array {
  for (let at = 0; at < x.length; at += 1) x[at] += other[at];
  return x;
}
