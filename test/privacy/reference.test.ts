import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runReference, type ReferenceResult } from '../../scripts/reference.ts';
import { CestaError } from '../../shared/protocol/errors.ts';

const vectors = 'test/vectors/dp-public.json';
const { cases } = JSON.parse(await readFile(vectors, 'utf8')) as { cases: { id: string; kind: string }[] };

let folder: string;
let result: ReferenceResult;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cesta-reference-'));
  result = await runReference(vectors);
});
afterAll(() => rm(folder, { recursive: true }));

async function errorOf(text: string): Promise<CestaError> {
  const path = join(folder, 'cases.json');
  await writeFile(path, text);
  const error = await runReference(path).then(() => undefined, (thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(CestaError);
  return error as CestaError;
}

describe('reference cases', () => {
  it.each(cases)('$id ($kind) holds', ({ id }) => {
    const found = result.cases.find((entry) => entry.id === id);
    expect(found?.pass, JSON.stringify(found)).toBe(true);
  });

  it('every case is run and counted', () => {
    expect(result.cases).toHaveLength(cases.length);
    expect(result.passed + result.failed).toBe(cases.length);
  });

  it('a wrong expectation fails its case, and the soundness rule is one of them', async () => {
    const path = join(folder, 'wrong.json');
    const base = { id: 'x', kind: 'subsampled_gaussian', q: 0.01, sigma: 1, T: 1000, delta: 1e-5, rdp_eps_exact: 2.1013652716484104 };
    await writeFile(path, JSON.stringify({
      cases: [
        { ...base, id: 'right', tight_eps: 1.8282366665, tight_abs_err: 1e-7 },
        { ...base, id: 'too low', tight_eps: 1.8283, tight_abs_err: 1e-7 },
        { ...base, id: 'too high', tight_eps: 1.82, tight_abs_err: 1e-7 },
        { id: 'sigma', kind: 'analytic_gaussian_eps', sigma: 1, delta: 1e-5, eps: 4.3771782 },
      ],
    }));
    const { cases: judged, passed, failed } = await runReference(path);
    expect(judged.map((entry) => entry.pass)).toEqual([true, false, false, false]);
    expect([passed, failed]).toEqual([1, 3]);
  });

  it('a case that the engine refuses is a failed case with the reason', async () => {
    const path = join(folder, 'refused.json');
    await writeFile(path, JSON.stringify({ cases: [{ id: 'x', kind: 'analytic_gaussian_eps', sigma: -1, delta: 1e-5, eps: 1 }] }));
    const { cases: [refused] } = await runReference(path);
    expect(refused.pass).toBe(false);
    expect(refused.got['error']).toContain('privacy.invalid: sigma');
  });

  it('a malformed file is a coded error that says what was expected', async () => {
    await expect(runReference(join(folder, 'nowhere.json'))).rejects.toMatchObject({ code: 'data.not-found' });
    expect((await errorOf('{ not json')).code).toBe('data.unreadable');
    expect((await errorOf('[]')).code).toBe('data.unreadable');
    expect((await errorOf('{"cases":[]}')).code).toBe('data.unreadable');
    expect((await errorOf('{"cases":[{"id":"a","kind":"constructor"}]}')).message).toContain('case a: expected one of');
    expect((await errorOf('{"cases":[{"id":"a","kind":"laplace"}]}')).message).toContain('case a (laplace): expected the fields');
  });
});
