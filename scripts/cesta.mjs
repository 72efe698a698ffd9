#!/usr/bin/env node
// In a checkout TypeScript is run as it stands, so that no build step can be forgotten; in the package it is compiled.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const [source, ...compiled] = ['cli/run.ts', 'cli/run.js', '../dist/package/scripts/cli/run.js'].map((path) => new URL(path, import.meta.url));
if (existsSync(source)) {
  const { register } = await import('tsx/esm/api');
  // Its paths say where this package's own name leads, which experiments import.
  register({ tsconfig: fileURLToPath(new URL('../tsconfig.json', import.meta.url)) });
}
await import((existsSync(source) ? source : compiled.find((url) => existsSync(url))).href);
