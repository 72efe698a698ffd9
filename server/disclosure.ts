/** What strangers are told of an error: a failure of ours goes to our log, with paths and statements; they get the code. */
import type { ErrorCode } from '../shared/protocol/error-table.ts';

export function publicMessage({ code, message }: { readonly code: ErrorCode; readonly message: string }): string {
  return code === 'internal' || code === 'storage.failed' ? 'the coordinator could not do this; its log says why' : message;
}
