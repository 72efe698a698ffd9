import { describe, expect, it } from 'vitest';
import { openRelease, sealRelease } from '../../shared/federation/release.ts';
import { sealServingForm, servedParams, servingForm, type FullRelease } from '../../shared/federation/serving-form.ts';
import { signingKey } from '../../shared/ledger/signing-key.ts';
import type { NamedTensors } from '../../shared/protocol/tensors.ts';
import { createModel } from '../../shared/recommender/registry.ts';
import { manifestOf, planOf } from '../server/support/fixtures.ts';
import { codeOf, teaCatalogue, wordless } from '../recommender/fixtures.ts';

const key = signingKey(new Uint8Array(32).fill(3));
const als = createModel('als', wordless(5), { factors: 4 });
const popularity = createModel('popularity', teaCatalogue(5), {});
const state = { 'strategy/moment': { shape: [2], data: Float32Array.of(1, 2) } };
const sealed = (tensors: NamedTensors): FullRelease => ({ ...sealRelease(manifestOf(planOf(), 1), tensors, key), tensors });

describe('the form of a release to rank with', () => {
  it('has row tables at one byte a number, and all else as it is', () => {
    const tensors = als.encode(als.initial());
    const form = servingForm(tensors, als, 'int8');
    expect(form?.precision).toBe('int8');
    const { factors, factors_scale: scales, ...others } = form?.tensors ?? {};
    expect([factors, scales].map(({ shape, data }) => [data.constructor.name, ...shape])).toEqual([['Int8Array', 5, 4], ['Float32Array', 5]]);
    const { factors: _exact, ...expected } = tensors;
    expect(others).toEqual(expected);
    expect(tensors['factors'].data).toBeInstanceOf(Float32Array);
  });

  it('is the release itself where nothing of it changes', () => {
    const plain = sealed(popularity.encode(popularity.initial()));
    for (const precision of ['float32', 'int8'] as const) expect(sealServingForm(plain, popularity, precision, key)).toEqual({ sha256: plain.sha256, bytes: plain.bytes });
    expect(servingForm(als.encode(als.initial()), als, 'float32')).toBeNull();
  });

  it('leaves out what only training needs, at either precision', () => {
    const tensors = { ...als.encode(als.initial()), ...state };
    expect(servingForm(tensors, als, 'float32')).toEqual({ precision: 'float32', tensors: als.encode(als.initial()) });
    expect(Object.keys(servingForm(tensors, als, 'int8')?.tensors ?? {}).sort()).toEqual([...Object.keys(als.encode(als.initial())), 'factors_scale'].sort());
    // Nothing to round: then it says what it has.
    expect(servingForm({ ...popularity.encode(popularity.initial()), ...state }, popularity, 'int8')?.precision).toBe('float32');
  });

  it('is signed, the same bytes each time, and says which release it is of', async () => {
    const release = sealed({ ...als.encode(als.initial()), ...state });
    const forms = (['float32', 'int8'] as const).map((precision) => sealServingForm(release, als, precision, key));
    for (const [at, precision] of (['float32', 'int8'] as const).entries()) {
      const { manifest, tensors } = await openRelease(forms[at].bytes, key.publicKey);
      expect(manifest).toEqual({ ...release.manifest, tensorsSha256: manifest.tensorsSha256, servingForm: { of: release.sha256, precision } });
      expect(tensors).toEqual(servingForm(release.tensors, als, precision)?.tensors);
      expect(sealServingForm(release, als, precision, key)).toEqual(forms[at]);
    }
    expect(new Set([release.sha256, ...forms.map(({ sha256 }) => sha256)]).size).toBe(3);
  });

  it('is what an evaluation at that precision ranks with, if the model has it', () => {
    const params = als.initial();
    expect(servedParams(als, params, 'float32')).toBe(params);
    expect(servedParams(als, params, 'int8')).toEqual(als.decode(servingForm(als.encode(params), als, 'int8')?.tensors ?? {}));
    expect(codeOf(() => servedParams(popularity, popularity.initial(), 'int8'))).toBe('config.invalid');
  });

  it('is none of a release that lacks a table, has it in another form, or that its own readers would refuse', () => {
    const tensors = als.encode(als.initial());
    const { factors: _factors, ...others } = tensors;
    const double = { ...tensors, factors: { shape: [20], data: new Float64Array(20) } };
    for (const wrong of [others, double, servingForm(tensors, als, 'int8')?.tensors ?? {}]) expect(codeOf(() => servingForm(wrong, als, 'int8'))).toBe('release.untrusted');
    const { popularity: _popularity, ...unranked } = tensors;
    expect(codeOf(() => sealServingForm(sealed(unranked), als, 'int8', key))).toBe('release.untrusted');
  });
});
