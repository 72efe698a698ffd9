import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { resolveSettings } from '../../scripts/cli/config/layers.ts';
import { serveSettings, type ServeConfig } from '../../scripts/cli/config/serve-settings.ts';
import { createProgram } from '../../scripts/cli/main.ts';
import { parsePostgresAddress } from '../../server/storage/postgres-address.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (name: string): string => readFileSync(join(root, name), 'utf8');

/** Instructions of a Dockerfile, continued lines joined. */
const dockerfile = read('Dockerfile').replaceAll(/\\\n/g, ' ').split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => ({ name: line.split(' ', 1)[0], rest: line.slice(line.indexOf(' ') + 1) }));
const all = (name: string): string[] => dockerfile.filter((instruction) => instruction.name === name).map(({ rest }) => rest);
const pairs = (text: string): Record<string, string> => Object.fromEntries(text.split(/\s+/).map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
const imageEnv = pairs(all('ENV').join(' '));

const serviceSchema = z.looseObject({
  image: z.string(), profiles: z.array(z.string()).length(1), environment: z.record(z.string(), z.string()), volumes: z.array(z.string()), security_opt: z.array(z.string()),
  ports: z.array(z.string()).default([]), entrypoint: z.array(z.string()).optional(), secrets: z.array(z.string()).default([]),
  build: z.string().optional(), read_only: z.boolean().optional(), tmpfs: z.array(z.string()).optional(), stop_grace_period: z.string().optional(), healthcheck: z.object({ test: z.array(z.string()) }).loose().optional(), depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
});
const compose = z.looseObject({ services: z.record(z.string(), serviceSchema), volumes: z.record(z.string(), z.null()), secrets: z.record(z.string(), z.object({ file: z.string() })) }).parse(parse(read('compose.yaml'), { merge: true }));
const coordinators = ['coordinator', 'embedded'].map((name) => compose.services[name]);

const unit = read('scripts/deployment/cesta.service');
const directive = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1] ?? '';

/** What `serve` makes of these variables, or its refusal. */
const serveWith = (env: Record<string, string>): ServeConfig => resolveSettings(serveSettings, { flags: {}, env, file: undefined, otherVariables: [] }).config;

describe('the Dockerfile', () => {
  it('copies what is there, and what is not kept from it', () => {
    const ignored = read('.dockerignore').split('\n');
    const sources = all('COPY').filter((rest) => !rest.startsWith('--from=')).flatMap((rest) => rest.split(' ').slice(0, -1));
    expect(sources).toEqual(expect.arrayContaining(['package.json', 'package-lock.json', 'shared', 'client', 'server', 'scripts']));
    for (const source of sources) expect([source, existsSync(join(root, source)), ignored.includes(`!${source}`)]).toEqual([source, true, true]);
    expect(ignored).toContain('*');
  });

  it('takes the version of Node that the package asks for, in both stages', () => {
    const { engines } = z.object({ engines: z.object({ node: z.string() }) }).parse(JSON.parse(read('package.json')));
    const major = /^>=(\d+)/.exec(engines.node)?.[1];
    const images = all('FROM').map((rest) => rest.split(' ')[0]);
    expect(images).toEqual([`node:${major}-slim`, `node:${major}-slim`]);
  });

  it('gives serve settings that it takes, and runs as nobody special', () => {
    const config = serveWith(imageEnv);
    expect(config).toMatchObject({ tlsSelf: true, host: '0.0.0.0' });
    expect(all('EXPOSE')).toEqual([String(config.port)]);
    expect(all('VOLUME')).toEqual([config.dataDir]);
    const order = dockerfile.map(({ name }) => name);
    expect(all('USER')).toEqual(['node']);
    expect(order.indexOf('USER')).toBeLessThan(order.indexOf('ENTRYPOINT'));
    const [entry, command] = [all('ENTRYPOINT'), all('CMD')].map(([text]) => JSON.parse(text) as string[]);
    expect(existsSync(join(root, entry[1]))).toBe(true);
    expect(createProgram().commands.map((verb) => verb.name())).toContain(command[0]);
    const health = JSON.parse(/CMD (\[.*\])/.exec(all('HEALTHCHECK')[0])?.[1] ?? '[]') as string[];
    expect(existsSync(join(root, health.at(-1) ?? ''))).toBe(true);
  });

  it('has no secret, and what it starts needs no package for development', () => {
    expect(read('Dockerfile')).not.toMatch(/^(ARG|ENV).*(PASSWORD|TOKEN|SECRET|DATABASE)/m);
    const { dependencies } = z.object({ dependencies: z.record(z.string(), z.string()) }).parse(JSON.parse(read('package.json')));
    expect(dependencies).toHaveProperty('tsx');
    expect(all('RUN')[0]).toContain('npm ci --omit=dev');
  });
});

describe('compose.yaml', () => {
  it('runs the image of the Dockerfile with settings that serve takes', () => {
    for (const { build, environment, ports, volumes, read_only: isReadOnly, tmpfs } of coordinators) {
      const config = serveWith({ ...imageEnv, ...environment });
      expect(build).toBe('.');
      expect(ports).toEqual([`127.0.0.1:${config.port}:${config.port}`]);
      expect(volumes.map((volume) => volume.split(':')[1])).toContain(config.dataDir);
      expect([isReadOnly, tmpfs]).toEqual([true, ['/tmp']]);
    }
  });

  it('lets the open round end before it kills', () => {
    for (const { environment, stop_grace_period: grace = '' } of coordinators) {
      expect(Number(/^(\d+)s$/.exec(grace)?.[1])).toBeGreaterThan(serveWith({ ...imageEnv, ...environment }).drainSeconds);
    }
  });

  it('reaches PostgreSQL by a socket that both mount, with a password from a file', () => {
    const { coordinator, database } = compose.services;
    const address = coordinator.environment['CESTA_DATABASE'];
    parsePostgresAddress(address);
    const url = new URL(address);
    const socket = url.searchParams.get('host') ?? '';
    for (const service of [coordinator, database]) {
      expect(service.volumes).toContain(`socket:${socket}`);
      expect(service.secrets).toEqual(['database-password']);
      expect(service.ports.every((port) => port.startsWith('127.0.0.1:'))).toBe(true);
    }
    expect(url.searchParams.get('user')).toBe(database.environment['POSTGRES_USER']);
    expect(url.pathname).toBe(`/${database.environment['POSTGRES_DB']}`);
    expect(coordinator.entrypoint?.join(' ')).toContain('exec node scripts/cesta.mjs serve');
    expect(coordinator.depends_on['database'].condition).toBe('service_healthy');
    expect(database.healthcheck?.test).toContain('pg_isready');
  });

  it('names every volume and secret that it uses, and starts one of two kinds', () => {
    const used = Object.values(compose.services).flatMap(({ volumes }) => volumes.map((volume) => volume.split(':')[0]));
    expect([...new Set(used)].sort()).toEqual(Object.keys(compose.volumes).sort());
    expect(Object.keys(compose.secrets)).toEqual(['database-password']);
    expect(Object.values(compose.services).map(({ profiles }) => profiles[0]).sort()).toEqual(['embedded', 'postgres', 'postgres']);
    for (const service of Object.values(compose.services)) expect(service.security_opt).toContain('no-new-privileges:true');
  });
});

describe('the systemd unit', () => {
  it('starts serve with settings that it takes, on a folder that systemd makes', () => {
    const config = serveWith(pairs(directive('Environment')));
    expect(config.dataDir).toBe(`/var/lib/${directive('StateDirectory')}`);
    const [, script, verb] = /^\/usr\/bin\/env node (\S+) (\S+)$/.exec(directive('ExecStart')) ?? [];
    expect(existsSync(join(root, script))).toBe(true);
    expect(verb).toBe('serve');
    expect(Number(directive('TimeoutStopSec'))).toBeGreaterThan(config.drainSeconds);
    for (const [name] of unit.matchAll(/\bCESTA_[A-Z_]+/g)) expect(() => serveWith({ [name]: name === 'CESTA_SHOPS' ? '6' : 'folder' })).not.toThrow();
  });

  it('may do little', () => {
    for (const name of ['NoNewPrivileges', 'DynamicUser', 'PrivateTmp', 'ProtectHome']) expect([name, directive(name)]).toEqual([name, 'yes']);
    expect([directive('ProtectSystem'), directive('CapabilityBoundingSet'), directive('Restart')]).toEqual(['strict', '', 'on-failure']);
  });
});
