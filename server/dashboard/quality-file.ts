/**
 * What somebody measured of the releases, from a file that the operator names. The coordinator has no purchases to
 * measure with: it takes these figures as they are, and says whose they are nowhere else.
 */
import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { parseBoundedJson } from '../../shared/protocol/bounded-json.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { qualitySchema, type Quality } from './schemas.ts';

export interface QualityFile {
  /** As the file is now. @throws CestaError `data.not-found` without one, `data.unreadable` for another */
  read(): Promise<Quality>;
}

const maxBytes = 4_194_304;

/** @param path undefined where nobody named one */
export function openQualityFile(path: string | undefined): QualityFile {
  let known: { readonly of: string; readonly quality: Quality } | null = null;
  return {
    async read() {
      if (path === undefined) throw new CestaError('data.not-found', 'quality: expected a file of what was measured (serve --quality), got none');
      const of = await versionOf(path);
      if (known?.of === of) return known.quality;
      const quality = parse(await readFile(path, 'utf8'));
      known = { of, quality };
      return quality;
    },
  };
}

/** Changes with the file. The path is the operator's business: no answer has it. */
async function versionOf(path: string): Promise<string> {
  try {
    const { mtimeNs, size, ino } = await stat(path, { bigint: true });
    if (size > maxBytes) throw new CestaError('data.unreadable', `quality: expected at most ${maxBytes} bytes, got ${size}`);
    return `${mtimeNs} ${size} ${ino}`;
  } catch (cause) {
    if (cause instanceof CestaError) throw cause;
    throw new CestaError('data.not-found', 'quality: expected the file that serve --quality names, got none yet', { cause });
  }
}

function parse(text: string): Quality {
  let value: unknown;
  try {
    value = parseBoundedJson('quality', text, { maxLength: maxBytes, maxDepth: 8 });
  } catch (cause) {
    throw new CestaError('data.unreadable', 'quality: expected JSON, got other text', { cause });
  }
  const parsed = qualitySchema.safeParse(value);
  if (!parsed.success) throw new CestaError('data.unreadable', `quality: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  return parsed.data;
}
