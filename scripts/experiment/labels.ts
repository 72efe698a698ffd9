/** What a point of an experiment is called in tables and on axes: `epsilon 1, mean`. */
import type { Json } from '../../shared/protocol/canonical-json.ts';
import { baselines } from '../../shared/simulation/scenario.ts';
import { isPlainObject } from './fields.ts';
import type { Point } from './result.ts';

/** What null means where it is no plain "none". */
const nulls: Readonly<Record<string, string>> = {
  'privacy.epsilon': 'no noise',
  'clients.perRound': 'all clients',
  'population.shoppers': 'the real shoppers',
};

export function nullLabel(path: string): string {
  return nulls[path] ?? `no ${leafOf(path)}`;
}

export function labelOf(point: Point): string {
  return Object.entries(point).map(([path, value]) => (value === null || value === undefined ? nullLabel(path) : describe(leafOf(path), value))).join(', ');
}

function leafOf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

/** Words speak for themselves; numbers and switches need their name, and so do words that name a baseline, such as the privacy mode `central`. */
function describe(name: string, value: Json): string {
  if (typeof value === 'string') return (baselines as readonly string[]).includes(value) ? `${name} ${value}` : value;
  if (isPlainObject(value)) return Object.entries(value).map(([inner, nested]) => describe(inner, nested as Json)).join(' ');
  return `${name} ${JSON.stringify(value)}`;
}
