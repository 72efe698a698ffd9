/** What strangers are told of an error of the coordinator. */
import { disclosedMessage } from '../shared/protocol/error-answer.ts';
import type { ErrorCode } from '../shared/protocol/error-table.ts';

export function publicMessage(error: { readonly code: ErrorCode; readonly message: string }): string {
  return disclosedMessage(error, 'coordinator');
}
