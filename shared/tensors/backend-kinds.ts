/** What may compute with tensors, fastest first: the order in which they are tried. */
export const backendKinds = ['native', 'wasm', 'plain'] as const;
/** `native`: the TensorFlow C library in Node; `wasm`: WebAssembly; `plain`: JavaScript. */
export type BackendKind = (typeof backendKinds)[number];

/** A backend that was not taken, and why. */
export interface PassedOver {
  readonly backend: BackendKind;
  readonly reason: string;
}

/** What computes. Nothing here names the library's types, which few projects compile with. */
export interface ChosenBackend {
  readonly backend: BackendKind;
  /** Whether products of matrices are computed by the project's own kernels. */
  readonly simd: boolean;
  readonly passedOver: readonly PassedOver[];
}

/** Where the `.wasm` files of the WebAssembly backend are: a folder's URL, or a URL for each. Node finds its own. */
export type WasmPaths = string | Readonly<Record<string, string>>;

/** How many reports of a sum were computed on which backend. */
export type BackendCounts = Partial<Record<BackendKind, number>>;

/** The backends of those who said one; undefined when nobody did. */
export function countBackends(said: Iterable<BackendKind | undefined>): BackendCounts | undefined {
  const counts: BackendCounts = {};
  for (const kind of said) if (kind !== undefined) counts[kind] = (counts[kind] ?? 0) + 1;
  return Object.keys(counts).length === 0 ? undefined : counts;
}
