/** Runs `work` as on an engine without WebAssembly. */
export async function withoutWebAssembly(work: () => unknown): Promise<void> {
  const kept = globalThis.WebAssembly;
  Reflect.deleteProperty(globalThis, 'WebAssembly');
  try {
    await work();
  } finally {
    globalThis.WebAssembly = kept;
  }
}
