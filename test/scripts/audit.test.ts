import { describe, expect, it } from 'vitest';
import { auditPrivacy } from '../../scripts/audit/privacy.ts';

const options = { data: 'online-retail', model: 'popularity', epsilon: 3, delta: 1e-5, canaries: 3000, runs: 5, seed: 1, shops: 4 };

describe('the privacy audit', () => {
  it('refutes no claim at five seeds, finds both controls out, and sees half of the noise missing where canaries may not', async () => {
    const audit = await auditPrivacy(options);
    expect(audit.pass).toBe(true);
    const planned = audit.rows.filter(({ noise }) => noise === 1);
    expect(planned).toHaveLength(5);
    for (const row of planned) {
      expect(row.epsilonLowerBound).toBeLessThan(audit.claimed);
      expect(row.epsilonLowerBound).toBeGreaterThan(0.3);
    }
    for (const row of audit.rows.filter(({ noise }) => noise < 1)) expect(row.epsilonLowerBound).toBeGreaterThan(audit.claimed);
    expect(audit.noise.map(({ expected }) => expected)).toEqual([true, true, false]);
    expect(audit.noise[2].pass).toBe(false);
    expect(audit.noise[2].varianceRatio).toBeLessThan(0.52);
  }, 60_000);

  it('finds a norm clip that does nothing out, with canaries wide enough to need it', async () => {
    const neighbours = { ...options, model: 'neighbours', canaries: 2400, runs: 1 };
    const audit = await auditPrivacy(neighbours);
    expect(audit.overshoot).toBeGreaterThan(3.9);
    expect(audit.rows.find(({ clip }) => !clip)).toMatchObject({ noise: 1, refuted: true, pass: true });
    expect(audit.pass).toBe(true);
    // Narrow ones stay within the norm by the row cap alone: they cannot see the clip, and the audit does not say they did.
    const narrow = await auditPrivacy({ ...neighbours, canaries: 20_000 });
    expect(narrow.overshoot).toBeLessThan(1.5);
    expect(narrow.rows.filter(({ clip }) => !clip)).toEqual([]);
  }, 60_000);

  it('says when a claim is beyond what so many canaries can refute at this delta', async () => {
    const audit = await auditPrivacy({ ...options, epsilon: 8, runs: 1 });
    expect(audit.provable).toBeLessThan(audit.claimed);
    expect(audit.pass).toBe(false);
  }, 60_000);

  it('fails as a whole when a control is not found out: too few canaries prove nothing', async () => {
    const audit = await auditPrivacy({ ...options, canaries: 100, runs: 1 });
    expect(audit.rows.find(({ noise }) => noise === 0.25)).toMatchObject({ refuted: false, pass: false });
    expect(audit.pass).toBe(false);
  }, 60_000);

  it('refuses what cannot be audited', async () => {
    await expect(auditPrivacy({ ...options, model: 'oracle' })).rejects.toMatchObject({ code: 'model.unknown' });
    await expect(auditPrivacy({ ...options, canaries: 10_000 })).rejects.toMatchObject({ code: 'privacy.invalid' });
    await expect(auditPrivacy({ ...options, model: 'ease' })).rejects.toMatchObject({ code: 'privacy.invalid' });
    await expect(auditPrivacy({ ...options, data: 'nowhere.csv' })).rejects.toMatchObject({ code: 'data.not-found' });
  });
});
