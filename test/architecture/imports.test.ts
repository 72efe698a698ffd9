import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const rooms = ['shared', 'client', 'server', 'scripts', 'test'] as const;
type Room = (typeof rooms)[number];

/** Which rooms each room may import from. */
const allowed: Record<Room, readonly Room[]> = {
  shared: ['shared'],
  client: ['shared', 'client'],
  server: ['shared', 'server'],
  scripts: ['shared', 'client', 'server', 'scripts'],
  test: ['shared', 'client', 'server', 'scripts', 'test'],
};

function sources(room: Room): string[] {
  return readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(ts|tsx|mjs)$/.test(file))
    .map((file) => join(root, room, file));
}

/** Every module specifier of a file: static, dynamic and re-exports. */
function specifiers(file: string): string[] {
  const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  return [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]/g)].map((match) => match[1]);
}

function roomOf(path: string): string {
  return relative(root, path).split('/')[0];
}

describe('imports between rooms', () => {
  for (const room of rooms) {
    it(`of ${room} go to ${allowed[room].join(', ')} only`, () => {
      const wrong = sources(room).flatMap((file) =>
        specifiers(file)
          .filter((specifier) => specifier.startsWith('.'))
          .map((specifier) => roomOf(resolve(dirname(file), specifier)))
          .filter((target) => !(allowed[room] as readonly string[]).includes(target))
          .map((target) => `${relative(root, file)} -> ${target}`));
      expect(sources(room).length).toBeGreaterThan(0);
      expect(wrong).toEqual([]);
    });
  }

  it('of shared stay isomorphic: no Node built-in, no server or file library', () => {
    const forbidden = /^(node:|fs$|path$|express|ws$|pino|kysely|libsql)/;
    const wrong = sources('shared').flatMap((file) => specifiers(file).filter((specifier) => forbidden.test(specifier)).map((specifier) => `${relative(root, file)} -> ${specifier}`));
    expect(wrong).toEqual([]);
  });
});

describe('shared is pure', () => {
  it('has no clock, timer or ambient randomness', () => {
    const impure = /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bsetTimeout\b|\bsetInterval\b|\bMath\.random\b/;
    const wrong = sources('shared').filter((file) => impure.test(readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '')));
    expect(wrong.map((file) => relative(root, file))).toEqual([]);
  });
});
