import { describe, expect, it } from 'vitest';
import { capOfGpc, capOfTcf, consentCommand, strictest } from '../../shared/commerce/consent-signals.ts';

/** As `gtag` pushes it. */
function gtag(..._given: readonly unknown[]): unknown {
  // eslint-disable-next-line prefer-rest-params
  return arguments;
}

describe('the words of a consent tool', () => {
  it('are read from what gtag pushes, and from nothing else in a dataLayer', () => {
    expect(consentCommand(gtag('consent', 'update', { personalization_storage: 'denied' }))).toEqual({ isDenied: true, waitMs: 0 });
    expect(consentCommand(gtag('consent', 'update', { personalization_storage: 'granted' }))).toEqual({ isDenied: false, waitMs: 0 });
    expect(consentCommand(gtag('consent', 'default', { personalization_storage: 'denied', wait_for_update: 700 }))).toEqual({ isDenied: true, waitMs: 700 });
    expect(consentCommand(gtag('consent', 'default', { personalization_storage: 'denied' }))).toEqual({ isDenied: true, waitMs: 500 });
    for (const entry of [null, 'consent', {}, { event: 'view_item' }, gtag('consent', 'update', { ad_storage: 'denied' }), gtag('config', 'update', { personalization_storage: 'denied' }), gtag('consent', 'update', { personalization_storage: 'maybe' })]) expect(consentCommand(entry)).toBeNull();
  });

  it('of TCF hold down by what is missing, where the GDPR applies', () => {
    const data = (...purposes: readonly number[]): unknown => ({ gdprApplies: true, eventStatus: 'tcloaded', purpose: { consents: Object.fromEntries(purposes.map((purpose) => [purpose, true])) } });
    const table: [unknown, number | null][] = [
      [data(1, 5, 6, 10), null], [data(1, 5, 10), null], [data(1, 6, 10), null], [data(1, 5, 6), 2], [data(1, 10), 1], [data(5, 6, 10), 1], [data(), 1],
      [{ gdprApplies: false }, null], [null, 1], [{ gdprApplies: true }, 1],
    ];
    for (const [told, degree] of table) expect(capOfTcf(told)?.degree ?? null, JSON.stringify(told)).toBe(degree);
    expect(capOfTcf({ gdprApplies: true, eventStatus: 'cmpuishown' })).toEqual({ degree: 1, by: 'tcf', isDecided: false });
  });

  it('that hold down most are in force', () => {
    expect(strictest([null, null])).toBeNull();
    expect(strictest([capOfGpc(true), { degree: 1, by: 'tcf', isDecided: true }, capOfGpc(false)])?.by).toBe('tcf');
    expect(strictest([null, capOfGpc(true)])).toEqual({ degree: 2, by: 'gpc', isDecided: true });
  });
});
