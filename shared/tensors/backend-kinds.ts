/** What may compute with tensors, fastest first: the order in which they are tried. */
export const backendKinds = ['native', 'wasm', 'plain'] as const;
/** `native`: the TensorFlow C library in Node; `wasm`: WebAssembly; `plain`: JavaScript. */
export type BackendKind = (typeof backendKinds)[number];

/** How many reports of a sum were computed on which backend. */
export type BackendCounts = Partial<Record<BackendKind, number>>;

/** The backends of those who said one; undefined when nobody did. */
export function countBackends(said: Iterable<BackendKind | undefined>): BackendCounts | undefined {
  const counts: BackendCounts = {};
  for (const kind of said) if (kind !== undefined) counts[kind] = (counts[kind] ?? 0) + 1;
  return Object.keys(counts).length === 0 ? undefined : counts;
}
