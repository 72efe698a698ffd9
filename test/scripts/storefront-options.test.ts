import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import pino from 'pino';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { addStorefrontOptions, serveUntilStopped, startStorefront, type StorefrontOptions } from '../../scripts/cli/storefront-options.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { codeOf } from '../client/fakes.ts';
import { about, fakeCoordinator } from '../client/shop/storefront-api/rig.ts';
import { silent } from '../server/support/fixtures.ts';

const folder = mkdtempSync(join(tmpdir(), 'cesta-options-'));
afterAll(() => rmSync(folder, { recursive: true }));
const aboutFile = join(folder, 'about.json');
writeFileSync(aboutFile, JSON.stringify(about));
writeFileSync(join(folder, 'no.json'), '{');

function parsed(...args: string[]): StorefrontOptions {
  return addStorefrontOptions(new Command().exitOverride().configureOutput({ writeErr: () => undefined })).parse(args, { from: 'user' }).opts();
}

function started(...args: string[]): ReturnType<typeof startStorefront> {
  const { coordinator, fetch } = fakeCoordinator();
  return startStorefront({ shop: 'corner-shop', stateDir: folder, coordinator, ...parsed(...args) }, { logger: silent, ...(fetch === undefined ? {} : { fetch }) });
}

describe('the storefront options of cesta join', () => {
  it('start nothing without a port', async () => {
    expect(await started()).toBeNull();
  });

  it('start the API on the port, for the origins that are named', async () => {
    const api = await started('--storefront', '0', '--about', aboutFile, '--origin', 'https://shop.example', '--origin', 'https://www.shop.example', '--retention-days', '30');
    const response = await fetch(`${api?.url}/.well-known/cesta.json`, { headers: { Origin: 'https://www.shop.example' } });
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe('https://www.shop.example');
    expect(await response.json()).toMatchObject({ shop: 'corner-shop', retention_days: 30 });
    await api?.close();
  });

  it('contradict each other never in silence', async () => {
    expect(await codeOf(() => started('--origin', 'https://shop.example'))).toBe('usage.invalid');
    expect(await codeOf(() => started('--storefront', '0'))).toBe('usage.invalid');
    expect(await codeOf(() => started('--storefront', '0', '--about', aboutFile, '--storefront-tls-cert', aboutFile))).toBe('usage.invalid');
    expect(await codeOf(() => started('--storefront', '0', '--about', aboutFile, '--storefront-host', '0.0.0.0'))).toBe('transport.insecure');
  });

  it('need a file that says who answers for the data', async () => {
    expect(await codeOf(() => started('--storefront', '0', '--about', join(folder, 'none.json')))).toBe('data.not-found');
    expect(await codeOf(() => started('--storefront', '0', '--about', join(folder, 'no.json')))).toBe('config.invalid');
  });

  it('take origins and ports, and nothing like them', () => {
    expect(() => parsed('--origin', 'shop.example')).toThrow(/Expected \* or an origin/);
    expect(() => parsed('--storefront', '70000')).toThrow(/Expected a number in 0..65535/);
  });
});

describe('a storefront beside rounds that end with an error', () => {
  it('goes on until it is stopped, says so at once, and ends with the error', async () => {
    const exitCode = process.exitCode;
    onTestFinished(() => void (process.exitCode = exitCode));
    const lines: string[] = [];
    const logger = pino({}, { write: (line: string) => void lines.push(line) });
    const api = await started('--storefront', '0', '--about', aboutFile);
    onTestFinished(() => api?.close());
    let stop: () => void = () => undefined;
    const stopped = new Promise<void>((resolve) => (stop = resolve));
    let hasEnded = false;
    const served = serveUntilStopped(Promise.reject(new CestaError('coordinator.untrusted', 'publicKey: expected another')), { logger, stopped });
    const ended = codeOf(() => served).finally(() => (hasEnded = true));
    expect((await fetch(`${api?.url}/healthz`)).status).toBe(200);
    expect(lines.join('')).toContain('coordinator.untrusted');
    expect(process.exitCode).toBe(1);
    expect(hasEnded).toBe(false);
    stop();
    expect(await ended).toBe('coordinator.untrusted');
  });

  it('goes on after rounds that ended well, too', async () => {
    expect(await serveUntilStopped(Promise.resolve(7), { logger: silent, stopped: Promise.resolve() })).toBe(7);
  });
});
