import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../../scripts/cli/main.ts';
import { resolveSettings, type Effective, type Given } from '../../../scripts/cli/config/layers.ts';
import { serveGroups, serveSettings } from '../../../scripts/cli/config/serve-settings.ts';
import { keyOf, variableOf } from '../../../scripts/cli/config/setting.ts';
import { CestaError } from '../../../shared/protocol/errors.ts';
import { temporaryFolder } from '../../server/support/folders.ts';

function fileOf(content: unknown): string {
  const file = join(temporaryFolder(), 'cesta.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

function resolve(given: Partial<Given>): Effective<typeof serveSettings> {
  return resolveSettings(serveSettings, { flags: {}, env: {}, file: undefined, otherVariables: ['CESTA_CONFIG'], ...given });
}

function refusal(given: Partial<Given>): { code: string; message: string } {
  try {
    resolve(given);
  } catch (error) {
    if (error instanceof CestaError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('expected a refusal, got none');
}

describe('the settings of serve', () => {
  it('have one name each, as flag, variable and key, and are all options of the command', () => {
    for (const [key, setting] of Object.entries(serveSettings)) expect(keyOf(setting)).toBe(key);
    const grouped = Object.values(serveGroups).flatMap((group) => Object.keys(group));
    expect(grouped.toSorted()).toEqual(Object.keys(serveSettings).toSorted());
    const serve = createProgram().commands.find((command) => command.name() === 'serve');
    const aboutTheCall = ['config', 'printConfig', 'json'];
    expect(serve?.options.map(({ long }) => keyOf({ flags: long ?? '' })).toSorted()).toEqual([...grouped, ...aboutTheCall].toSorted());
    expect(variableOf(serveSettings.tlsClientCa)).toBe('CESTA_TLS_CLIENT_CA');
  });

  it('take a flag before a variable, a variable before the file, the file before what is usual', () => {
    const file = fileOf({ port: 1, shops: 2, rounds: 3 });
    const env = { CESTA_PORT: '10', CESTA_SHOPS: '20' };
    const { config, shown } = resolve({ file, env, flags: { port: '100' } });
    expect([config.port, config.shops, config.rounds, config.quorum]).toEqual([100, 20, 3, 0]);
    expect(shown).toMatchObject({
      port: { value: 100, source: 'flag --port' },
      shops: { value: 20, source: 'variable CESTA_SHOPS' },
      rounds: { value: 3, source: `file ${file}` },
      quorum: { value: 0, source: 'default' },
    });
    expect(shown).not.toHaveProperty('clipNorm');
  });

  it('mean the same wherever they come from', () => {
    const key = 'ab'.repeat(32);
    const witness = `one=${key}`;
    const flags = { witness: [witness], hyperParameters: '{"shrinkage":3}', asOf: '2026-03-31', behindTlsProxy: true, delta: '1e-6' };
    const env = { CESTA_WITNESS: witness, CESTA_HYPER_PARAMETERS: '{"shrinkage":3}', CESTA_AS_OF: '2026-03-31', CESTA_BEHIND_TLS_PROXY: 'true', CESTA_DELTA: '1e-6' };
    const file = fileOf({ witness: [witness], hyperParameters: { shrinkage: 3 }, asOf: '2026-03-31', behindTlsProxy: true, delta: 1e-6 });
    const expected = resolve({ flags }).config;
    expect(expected).toMatchObject({ witness: [{ name: 'one', publicKey: key }], hyperParameters: { shrinkage: 3 }, asOf: Date.UTC(2026, 3, 1) / 1000, behindTlsProxy: true });
    expect(resolve({ env }).config).toEqual(expected);
    expect(resolve({ file }).config).toEqual(expected);
  });

  it('refuse a value out of range, and name its source', () => {
    const file = fileOf({ port: 70_000 });
    expect(refusal({ file })).toEqual({ code: 'config.invalid', message: `${file}: port: expected a whole number in 0..65535, got 70000` });
    expect(refusal({ env: { CESTA_PORT: '7.5' } })).toEqual({ code: 'config.invalid', message: 'CESTA_PORT: expected a whole number in 0..65535, got 7.5' });
    expect(refusal({ flags: { port: 'x' } })).toMatchObject({ code: 'usage.invalid', message: expect.stringMatching(/^--port: expected a whole number/) as string });
    expect(refusal({ env: { CESTA_PORT: '' } })).toMatchObject({ code: 'config.invalid' });
    expect(refusal({ env: { CESTA_GATE: '.7' } }).message).toBe('CESTA_GATE: expected a number above 0 and at most 0.5, got 0.7');
    expect(refusal({ env: { CESTA_GATE_TOLERANCE: '1' } }).message).toContain('a number of at least 0 and below 1');
    expect(refusal({ env: { CESTA_BEHIND_TLS_PROXY: 'maybe' } }).message).toBe('CESTA_BEHIND_TLS_PROXY: expected true or false, got "maybe"');
    expect(refusal({ env: { CESTA_WITNESS: 'two words=1' } }).message).toContain('a list, each NAME=KEY');
  });

  it('are checked even where a stronger source decides', () => {
    expect(refusal({ file: fileOf({ port: -1 }), flags: { port: '1' } })).toMatchObject({ code: 'config.invalid' });
  });

  it('take no text for a number in a file', () => {
    expect(refusal({ file: fileOf({ port: '8787' }) }).message).toContain('got "8787"');
  });

  it('refuse what nobody knows, and name the closest that is known', () => {
    expect(refusal({ file: fileOf({ gatherSecond: 1 }) })).toMatchObject({ code: 'config.invalid', message: expect.stringContaining('"gatherSecond"; the closest is "gatherSeconds"') as string });
    expect(refusal({ env: { CESTA_EPSILONN: '1' } }).message).toContain('CESTA_EPSILONN');
    expect(refusal({ env: { CESTA_EPSILONN: '1' } }).message).toContain('the closest is CESTA_EPSILON');
    expect(refusal({ file: fileOf({ toString: 1 }) })).toMatchObject({ code: 'config.invalid' });
    expect(resolve({ env: { CESTA_CONFIG: 'x', PORT: '9' } }).config.port).toBe(8787);
  });

  it('refuse a file that is not there, and one that is no JSON object', () => {
    expect(refusal({ file: join(temporaryFolder(), 'none.json') }).code).toBe('data.not-found');
    expect(refusal({ file: fileOf('{') }).code).toBe('config.invalid');
    expect(refusal({ file: fileOf([]) }).message).toContain('expected a JSON object, got a list');
  });

  it('show no password, wherever in the address it is', () => {
    for (const [address, shown] of [
      ['postgres://cesta:s3cret@db/cesta', 'postgres://cesta:***@db/cesta'],
      ['postgres://cesta@db/cesta?password=s3cret&sslmode=verify-full', 'postgres://cesta@db/cesta?password=***&sslmode=verify-full'],
      ['postgres://cesta:s3:c@ret@db/cesta', 'postgres://cesta:***@db/cesta'],
      ['postgres://cesta@db/cesta', 'postgres://cesta@db/cesta'],
    ]) {
      const { config, shown: all } = resolve({ env: { CESTA_DATABASE: address } });
      expect(config.database).toBe(address);
      expect(all['database'].value).toBe(shown);
    }
    expect(refusal({ file: fileOf({ database: { password: 's3cret' } }) }).message).not.toContain('s3cret');
  });
});
