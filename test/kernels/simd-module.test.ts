import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { decodeBase64 } from '../../shared/ledger/base64.ts';
import { simdModuleBase64 } from '../../shared/kernels/simd-module.ts';
import { compileKernels, simdModuleFile, simdModuleText } from '../../scripts/kernels/compile.ts';

const bytes = decodeBase64(simdModuleBase64) as Uint8Array<ArrayBuffer>;

describe('the module of the kernels', () => {
  it('is what its sources compile to', async () => {
    const compiled = await compileKernels();
    expect(bytes).toEqual(compiled);
    expect(await readFile(simdModuleFile, 'utf8')).toBe(simdModuleText(compiled));
  });

  it('runs on the memory of others: it imports nothing else, brings no data and starts nothing', () => {
    expect(WebAssembly.Module.imports(new WebAssembly.Module(bytes))).toEqual([{ module: 'env', name: 'memory', kind: 'memory' }]);
    const memory = new WebAssembly.Memory({ initial: 1 });
    new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
    expect(new Uint8Array(memory.buffer).every((byte) => byte === 0)).toBe(true);
  });

  it('stays small enough for engines that compile no more than 4 KiB at once on the page itself', () => {
    expect(bytes.length).toBeLessThanOrEqual(4_096);
  });
});

describe('an engine that has no SIMD or forbids to compile', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.resetModules();
  });

  it('has no SIMD kernels', async () => {
    vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
    vi.resetModules();
    const { ownSimdKernels } = await import('../../shared/kernels/simd.ts');
    expect(ownSimdKernels(10)).toBeNull();
  });

  it('is one whose policy throws at that', async () => {
    vi.spyOn(WebAssembly, 'Module').mockImplementation(function refuse() {
      throw new WebAssembly.CompileError('blocked by a policy');
    });
    vi.resetModules();
    const { ownSimdKernels } = await import('../../shared/kernels/simd.ts');
    expect(ownSimdKernels(10)).toBeNull();
  });

  it('is one that has no memory left', async () => {
    const { ownSimdKernels } = await import('../../shared/kernels/simd.ts');
    expect(ownSimdKernels(2 ** 40)).toBeNull();
    expect(ownSimdKernels(10)).not.toBeNull();
  });
});
