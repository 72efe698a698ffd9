/** Presets of jurisdictions, and the record of processing activities that is made of a configuration. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../scripts/cli/main.ts';
import { processingFacts } from '../../scripts/processing-record.ts';
import { federationSchema } from '../../server/http/schemas.ts';
import { processingRecord } from '../../shared/policy/processing-record.ts';
import { jurisdictionNames, jurisdictions } from '../../shared/policy/jurisdictions.ts';
import { coordinatorFor } from '../server/support/coordinators.ts';
import { temporaryFolder } from '../server/support/folders.ts';

const golden = (name: string): string => fileURLToPath(new URL(`../vectors/processing-record/${name}`, import.meta.url));

async function written(config: string, ...args: string[]): Promise<{ markdown: string; json: string }> {
  const out = join(temporaryFolder(), 'record.md');
  await createProgram().parseAsync(['node', 'cesta', 'processing-record', '--config', config, '--out', out, '--json', ...args]);
  return { markdown: readFileSync(out, 'utf8'), json: readFileSync(`${out}.json`, 'utf8') };
}

describe('capability 25: compliance that follows from the configuration', () => {
  it.each(jurisdictionNames)('capability 25: the record of processing activities for %s is the golden file', async (name) => {
    const { markdown, json } = await written(golden('cesta.json'), '--jurisdiction', name);
    expect(markdown).toBe(readFileSync(golden(`${name}.md`), 'utf8'));
    expect(json).toBe(readFileSync(golden(`${name}.md.json`), 'utf8'));
  });

  it('capability 25: the record changes with what is configured', async () => {
    const config = join(temporaryFolder(), 'cesta.json');
    writeFileSync(config, JSON.stringify({ mode: 'local', model: 'popularity', epsilon: 1, shops: 4, minShops: 3, database: 'postgres://cesta@127.0.0.1/cesta' }));
    const record = processingRecord(await processingFacts(config));
    const text = JSON.stringify(record);
    expect(text).toContain('epsilon 1,');
    expect(text).toContain('noised sum, of at least 3 participants');
    expect(text).toContain('PostgreSQL');
    expect(text).not.toContain('masks');
    expect(record.open[0]).toContain('--controller');
  });

  it('capability 25: presets say where shoppers start, whether Global Privacy Control binds, and how long there is after a breach', () => {
    expect(jurisdictions.gdpr).toMatchObject({ defaultDegree: 0, globalPrivacyControl: 'cap', breachNoticeHours: 72 });
    expect(jurisdictions.ccpa).toMatchObject({ defaultDegree: 1, globalPrivacyControl: 'binding', breachNoticeHours: null });
    for (const preset of Object.values(jurisdictions)) expect([0, 1]).toContain(preset.defaultDegree);
  });

  it('capability 25: a coordinator tells storefronts which preset is in force', async () => {
    const coordinator = await coordinatorFor({ accountability: { controller: null, jurisdiction: 'ccpa', processors: [] } });
    const manifest = federationSchema.parse(await (await fetch(`${coordinator.url}/.well-known/cesta.json`)).json());
    expect(manifest.jurisdiction).toMatchObject({ name: 'ccpa', defaultDegree: 1, globalPrivacyControl: 'binding' });
  });
});
