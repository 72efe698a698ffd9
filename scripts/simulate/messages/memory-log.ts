/** The storage of a public record, in memory. */
import type { Storage } from '../../../server/storage/storage.ts';
import { CestaError } from '../../../shared/protocol/errors.ts';

export type LogStorage = Pick<Storage, 'logSize' | 'appendLog' | 'logEntries' | 'setting' | 'putSetting'>;

export interface MemoryLog extends LogStorage {
  readonly entries: Uint8Array[];
  readonly settings: Map<string, string>;
}

export function memoryLog(): MemoryLog {
  const entries: Uint8Array[] = [];
  const settings = new Map<string, string>();
  return {
    entries,
    settings,
    logSize: () => Promise.resolve(entries.length),
    appendLog({ position, entries: added, settings: changed = {} }) {
      if (position !== entries.length) return Promise.reject(new CestaError('storage.failed', 'position'));
      entries.push(...added);
      for (const [key, value] of Object.entries(changed)) settings.set(key, value);
      return Promise.resolve();
    },
    logEntries: ({ from, limit }) => Promise.resolve(entries.slice(from, from + limit)),
    setting: (key) => Promise.resolve(settings.get(key) ?? null),
    putSetting: (key, value) => Promise.resolve(void settings.set(key, value)),
  };
}
