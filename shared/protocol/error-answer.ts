/** How an error crosses an HTTP boundary, the same for coordinators and shop nodes. */
import { errorBody, statusOf, type ErrorBody, type ErrorCode } from './error-table.ts';
import type { CestaError } from './errors.ts';

/** Whose log says more. */
export type Party = 'coordinator' | 'shop node';

/** What strangers are told of an error: a failure of ours goes to our log, with paths and statements; they get the code. */
export function disclosedMessage({ code, message }: { readonly code: ErrorCode; readonly message: string }, party: Party): string {
  return code === 'internal' || code === 'storage.failed' ? `the ${party} could not do this; its log says why` : message;
}

export interface ErrorAnswer {
  readonly status: number;
  readonly body: { readonly error: ErrorBody };
}

export function errorAnswer(error: CestaError, party: Party): ErrorAnswer {
  return { status: statusOf(error), body: { error: { ...errorBody(error), message: disclosedMessage(error, party) } } };
}
