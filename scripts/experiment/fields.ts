/** Trees of plain objects, by dotted path: read, replaced and laid over each other without a change in place. */
import { CestaError } from '../../shared/protocol/errors.ts';

export type Fields = Readonly<Record<string, unknown>>;

export function isPlainObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `{ sweep: [...] }`, as `sweep()` makes it and JSON files write it. */
export function isSweep(value: unknown): value is { readonly sweep: readonly unknown[] } {
  return isPlainObject(value) && Array.isArray(value['sweep']) && Object.keys(value).length === 1;
}

export function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce((inner, name) => (isPlainObject(inner) || Array.isArray(inner) ? (inner as Fields)[name] : undefined), value);
}

/** @throws CestaError `config.invalid` where the path leads through something that is no object */
export function withValueAt(fields: Fields, path: readonly string[], value: unknown): Fields {
  return setIn(fields, path, value, '');
}

function setIn(fields: Fields, [name, ...rest]: readonly string[], value: unknown, prefix: string): Fields {
  if (rest.length === 0) return { ...fields, [name]: value };
  const path = prefix + name;
  const inner = path === 'model' ? modelObject(fields[name]) : (fields[name] ?? {});
  if (!isPlainObject(inner) || isSweep(inner)) throw new CestaError('config.invalid', `${path}: expected an object to set ${path}.${rest.join('.')} in, got ${JSON.stringify(inner)}`);
  return { ...fields, [name]: setIn(inner, rest, value, `${path}.`) };
}

/** A model may be said by its kind alone; who sets a field of it means the object. */
function modelObject(model: unknown): unknown {
  return typeof model === 'string' ? { kind: model } : (model ?? { kind: 'neighbours' });
}

/** Objects are laid over each other field by field; sweeps, lists, variants and everything else replace what was there. */
export function laidOver(base: Fields, over: Fields): Fields {
  const merged: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(over)) {
    const below = name === 'model' && isPlainObject(value) && !isSweep(value) && !isSweep(base[name]) ? modelObject(base[name]) : base[name];
    merged[name] = name !== 'variants' && isPlainObject(value) && !isSweep(value) && isPlainObject(below) && !isSweep(below) ? laidOver(below, value) : value;
  }
  return merged;
}
