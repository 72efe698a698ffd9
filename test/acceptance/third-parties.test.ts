/** Who else is involved: processors that are named, packages that are pinned and licensed. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { federationSchema } from '../../server/http/schemas.ts';
import { coordinatorFor } from '../server/support/coordinators.ts';
import { openWorkshop } from '../e2e/processes.ts';
import { taskInput } from '../server/support/fixtures.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (name: string): unknown => JSON.parse(readFileSync(`${root}${name}`, 'utf8'));

const lockSchema = z.object({ packages: z.record(z.string(), z.object({ version: z.string().optional(), license: z.string().optional(), integrity: z.string().optional(), dev: z.boolean().optional(), link: z.boolean().optional() })) });
const manifestSchema = z.object({ dependencies: z.record(z.string(), z.string()), optionalDependencies: z.record(z.string(), z.string()), devDependencies: z.record(z.string(), z.string()) });

/** What may be shipped beside code under Apache-2.0 without conditions on that code. */
const permissive = new Set(['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'Unlicense', 'BlueOak-1.0.0', 'Apache-2.0 AND MIT', '(BSD-3-Clause AND Apache-2.0)']);
/** Conditions on their own files, or notices to keep: for tools that are not shipped. */
const forTools = new Set([...permissive, 'MPL-2.0', 'Python-2.0']);

describe('capability 19: vetted third parties', () => {
  it('capability 19: every package has a licence of the list and a digest, and what is asked for is pinned exactly', () => {
    const packages = Object.entries(lockSchema.parse(read('package-lock.json')).packages).filter(([path]) => path !== '');
    expect(packages.length).toBeGreaterThan(100);
    expect(packages.filter(([, { license = 'none', dev = false }]) => !(dev ? forTools : permissive).has(license)).map(([path, { license }]) => `${path}: ${license ?? 'none'}`)).toEqual([]);
    expect(packages.filter(([, { integrity, link = false }]) => !link && !/^sha512-/.test(integrity ?? '')).map(([path]) => path)).toEqual([]);
    const { dependencies, optionalDependencies, devDependencies } = manifestSchema.parse(read('package.json'));
    const asked = { ...dependencies, ...optionalDependencies, ...devDependencies };
    expect(Object.entries(asked).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  it('capability 19: the bill of materials names all that is asked for', () => {
    const bom = z.object({ bomFormat: z.literal('CycloneDX'), components: z.array(z.object({ name: z.string(), version: z.string() })) })
      .parse(JSON.parse(execFileSync('npm', ['run', '--silent', 'sbom'], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 })));
    const { dependencies } = manifestSchema.parse(read('package.json'));
    // A scope is a group of its own there, or a part of the name.
    const names = new Set(bom.components.map(({ name, version }) => `${name.split('/').at(-1) ?? name} ${version}`));
    expect(Object.entries(dependencies).filter(([name, version]) => !names.has(`${name.split('/').at(-1) ?? name} ${version}`))).toEqual([]);
  }, 60_000);

  it('capability 19: the manifest of a coordinator names processors, privacy and what decides a shelf', async () => {
    const processors = [{ name: 'Example Hosting', purpose: 'runs the server', country: 'DE' }];
    const coordinator = await coordinatorFor({ task: taskInput({ mode: 'local' }), accountability: { controller: { name: 'Example Ltd', contact: 'privacy@example.org' }, jurisdiction: 'gdpr', processors } });
    const manifest = federationSchema.parse(await (await fetch(`${coordinator.url}/.well-known/cesta.json`)).json());
    expect(manifest).toMatchObject({ processors, controller: { name: 'Example Ltd' }, privacy: { mode: 'local', epsilonLimit: 3, epsilonSpent: 0, delta: 1e-5 } });
    expect(manifest.parameters.length).toBeGreaterThan(2);
  });

  it('capability 19: processors come from the command line, and a country that is none is refused', async () => {
    const workshop = openWorkshop();
    try {
      const right = workshop.run(['serve', '--print-config', '--processor', 'Example Hosting:runs the server:DE', '--processor', 'Backup:keeps copies:PL']);
      expect([await right.ended, (JSON.parse(right.stdout()) as { processor: { value: unknown } }).processor.value]).toEqual([0, ['Example Hosting:runs the server:DE', 'Backup:keeps copies:PL']]);
      const wrong = workshop.run(['serve', '--print-config', '--processor', 'Example Hosting:runs the server:Germany']);
      expect([await wrong.ended, wrong.stderr()]).toEqual([2, expect.stringContaining('NAME:PURPOSE:COUNTRY')]);
    } finally {
      await workshop.close();
    }
  }, 60_000);
});
