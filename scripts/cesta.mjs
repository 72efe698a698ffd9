#!/usr/bin/env node
// The command in a checkout: TypeScript is run as it stands, so that no build step can be forgotten.
import { register } from 'tsx/esm/api';

register();
const { main } = await import('./cli/main.ts');
await main(process.argv);
