/** What the system says of a disk that takes nothing more, as an error that names the folder. */
import { CestaError } from '../../shared/protocol/errors.ts';

/** Of the operating system: no room, no permission, or something else in the way. */
const refusals: readonly unknown[] = ['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS', 'EACCES', 'EPERM', 'ENOTDIR', 'EEXIST', 'EISDIR', 'EIO'];

/** @returns `storage.failed` for a refusal of the disk, anything else as it is */
export function storageError(thrown: unknown, folder: string): unknown {
  if (!(thrown instanceof Error) || !('code' in thrown) || !refusals.includes(thrown.code)) return thrown;
  return new CestaError('storage.failed', `${folder}: expected a folder that can be written, got ${thrown.message}`, { cause: thrown });
}
