import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createProgram } from '../../scripts/cli/main.ts';

it('the command knows the version of its package', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  expect(createProgram().version()).toBe(version);
});
