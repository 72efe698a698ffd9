/**
 * The one table of coded errors. Everything that can go wrong for a user has a code here; the message of an instance says
 * what was expected and what came. Apart from the class of errors: a storefront throws them and needs no table.
 */
import type { CestaError } from './errors.ts';

interface ErrorEntry {
  /** HTTP status when the error crosses an HTTP boundary. */
  readonly status: number;
  /** What the reader can do about it. */
  readonly hint: string;
}

export const errorTable = {
  'usage.invalid': { status: 400, hint: 'Run the verb with --help to see what it takes.' },
  'config.invalid': { status: 400, hint: 'Correct the named setting.' },
  'data.not-found': { status: 404, hint: 'Check the path.' },
  'data.unreadable': { status: 400, hint: 'The file is damaged or of another format; `cesta doctor FILE` says more.' },
  'data.missing-column': { status: 400, hint: 'Event files need item_id, shopper_id and timestamp; `cesta doctor FILE` lists what was found.' },
  'data.empty': { status: 400, hint: 'No usable event was left; `cesta doctor FILE` says what was dropped and why.' },
  'model.unknown': { status: 400, hint: 'Known models: popularity, neighbours, ease, slist, als, sequence, item-knn.' },
  'backend.unavailable': { status: 501, hint: 'Leave --backend and CESTA_BACKEND out to take the fastest backend there is, or name another: native, wasm, plain.' },
  'model.unusable': { status: 400, hint: 'The model cannot be trained on this catalogue or these settings.' },
  'privacy.invalid': { status: 400, hint: 'Privacy parameters are checked when the plan is made.' },
  'privacy.infeasible': { status: 400, hint: 'Raise epsilon, admit fewer shoppers, or use more bits.' },
  'privacy.mode-unavailable': { status: 501, hint: 'Use --mode local: it needs no secure aggregation.' },
  'budget.exhausted': { status: 409, hint: 'The task has spent its privacy budget and is stopped for good.' },
  'plan.invalid': { status: 400, hint: 'Correct the named field of the task. Between coordinator and shop: both must be of versions that agree on every field of a plan.' },
  'protocol.malformed': { status: 400, hint: 'The frame is not a message of this protocol version.' },
  'protocol.version': { status: 426, hint: 'Upgrade the older side.' },
  'protocol.out-of-order': { status: 409, hint: 'The message does not fit the state of this connection or round.' },
  'protocol.replayed': { status: 409, hint: 'Sequence numbers rise strictly.' },
  'protocol.too-large': { status: 413, hint: 'The frame or body exceeds the announced limit.' },
  'update.wrong-round': { status: 409, hint: 'The update names another round or plan than the open one.' },
  'update.wrong-length': { status: 400, hint: 'The statistic must have exactly the length of the plan.' },
  'update.out-of-range': { status: 400, hint: 'A coordinate exceeds what the plan allows one shop to report.' },
  'update.corrupt': { status: 400, hint: 'The bytes do not have the announced digest.' },
  'node.unauthorised': { status: 401, hint: 'The signature does not verify under the key of this shop.' },
  'node.revoked': { status: 403, hint: 'The operator withdrew this key. Make a new one with `cesta keys replace` and enrol it with a new token.' },
  'node.unknown': { status: 404, hint: 'No node has this key or name; `cesta keys` shows the key of a shop.' },
  'enrolment.required': { status: 401, hint: 'Only enrolled shops are admitted: ask the operator for a token, then run `cesta enrol`.' },
  'enrolment.token-invalid': { status: 401, hint: 'Ask the operator for a token: `cesta token` makes one.' },
  'enrolment.token-used': { status: 409, hint: 'A token enrols one node, once; ask the operator for another.' },
  'enrolment.token-expired': { status: 410, hint: 'Ask the operator for a new token.' },
  'enrolment.certificate-invalid': { status: 401, hint: 'The certificate belongs to another key, shop or coordinator; enrol again with a new token.' },
  'enrolment.certificate-expired': { status: 401, hint: 'Run `cesta keys renew` in time; after that, enrol again with a new token.' },
  'enrolment.organisation-full': { status: 409, hint: 'As many nodes of this organisation are connected as the coordinator admits; stop one of them.' },
  'envelope.stale': { status: 401, hint: 'Set the clocks of both sides: they may be two minutes apart.' },
  'envelope.equivocation': { status: 409, hint: 'One key signed two requests under one number: is a copy of the state folder in use? Both are kept as evidence.' },
  'limit.rate': { status: 429, hint: 'Wait a little and try again.' },
  'limit.capacity': { status: 503, hint: 'The shop node holds as much as it was given room for; its operator has to make more.' },
  'transport.insecure': { status: 400, hint: 'Use TLS: serve with --tls-cert and --tls-key (or --behind-tls-proxy), join with an https: address.' },
  'coordinator.draining': { status: 503, hint: 'The coordinator finishes its round and stops; come back when it has been started again.' },
  'coordinator.untrusted': { status: 401, hint: 'The coordinator has another key than the one known before. If that is meant, remove the pinned key from the state folder of the shop.' },
  'node.name-taken': { status: 409, hint: 'Another key, or another live connection, already holds this shop name.' },
  'round.failed': { status: 409, hint: 'The round ended without a release; the last release stays in force.' },
  'round.not-member': { status: 409, hint: 'Membership is frozen when training starts; wait for the next round.' },
  'receipt.untrusted': { status: 422, hint: 'The coordinator acknowledged a report in words that prove nothing; they are not kept. Ask its operator.' },
  'release.not-found': { status: 404, hint: 'No such release; GET /v1/model serves the current one.' },
  'release.state': { status: 409, hint: 'GET /v1/releases lists the releases and which of them is served.' },
  'release.untrusted': { status: 422, hint: 'The release was refused; the last good one is kept.' },
  'catalogue.invalid': { status: 400, hint: 'A catalogue is a list of products with distinct ids.' },
  'log.untrusted': { status: 422, hint: 'The public record is not signed by the key that was expected; do not rely on it.' },
  'log.inconsistent': { status: 409, hint: 'The public record contradicts itself or an earlier state of it; keep both states as evidence.' },
  'storage.failed': { status: 500, hint: 'Check the data directory and the database: space, permissions, that it answers, and that one coordinator uses it.' },
  'network.unreachable': { status: 503, hint: 'The other side does not answer; it is retried where that makes sense.' },
  'network.port-in-use': { status: 409, hint: 'Choose another port with --port, or stop the process that holds it.' },
  'task.not-found': { status: 404, hint: 'See `cesta task list` for the tasks there are.' },
  'task.exists': { status: 409, hint: 'Choose another name: budgets are counted by the name of the task.' },
  'task.cancelled': { status: 409, hint: 'The operator ended the task; its releases are served still.' },
  'task.state': { status: 409, hint: 'See `cesta task list` for the state of each task.' },
  'admin.unauthorised': { status: 401, hint: 'Log in with `cesta login`: a session ends after 12 hours, or 30 minutes without use, and a code counts once.' },
  'operator.unknown': { status: 404, hint: 'See `cesta operator list` for the operators there are.' },
  'operator.exists': { status: 409, hint: 'Choose another name, or give the operator new credentials with `cesta operator reset`.' },
  'operator.last': { status: 409, hint: 'Add another operator first.' },
  'consent.notice': { status: 409, hint: 'Show the current notice, and pass its version with the choice.' },
  'consent.capped': { status: 409, hint: 'A signal of the browser or of the consent tool holds the degree down; change it there, or, for Global Privacy Control, let the person say so.' },
  'consent.needed': { status: 403, hint: 'The shopper has to choose a degree that permits this first.' },
  'consent.unknown': { status: 404, hint: 'No consent has this id; it may have been withdrawn and erased.' },
  'consent.untrusted': { status: 422, hint: 'The shop confirmed a choice in words that prove nothing; the choice is not raised. Ask the shop.' },
  'shop.unauthorised': { status: 401, hint: 'The token of this shop node is in its state folder: `storefront.token`.' },
  'measure.too-few': { status: 409, hint: 'Wait until more devices have reported; an experiment with fewer tells more of the noise than of its arms.' },
  'measure.unknown': { status: 404, hint: 'The experiments and campaigns there are stand in the file that was given with --campaigns.' },
  'policy.violated': { status: 409, hint: 'Change the setting, or have whoever answers for the policy file change the line named.' },
  'page.unavailable': { status: 501, hint: 'Pages are put together by esbuild when they are first asked for: install all dependencies with `npm ci`. `serve --no-dashboard` does without.' },
  'backstage.unauthorised': { status: 403, hint: 'Open the backstage page again: its buttons work on this machine only, and until the demo ends.' },
  'backstage.busy': { status: 409, hint: 'One job runs at a time; wait for it, or see what it is doing on the page.' },
  'experiment.busy': { status: 409, hint: 'Wait until the other process is done, or give --runs another folder.' },
  'http.not-found': { status: 404, hint: 'See GET /v1/openapi.json for what is served.' },
  'http.media-type': { status: 415, hint: 'See GET /v1/openapi.json for what each path takes.' },
  'secagg.invalid': { status: 400, hint: 'The message does not fit the masked round; its sender is left out.' },
  'secagg.aborted': { status: 409, hint: 'The participant left the masked round before it revealed anything; its vector stays masked.' },
  'secagg.too-few': { status: 409, hint: 'Too few participants remain for a private sum; the round ends without one.' },
  'secagg.equivocation': { status: 409, hint: 'One party signed two different statements where one is allowed; keep both as evidence.' },
  'internal': { status: 500, hint: 'This is a defect: please report it with the log.' },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorTable;

/** The body of every HTTP error and of the wire message `error`. */
export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(errorTable, code);
}

/** HTTP status of an error that crosses an HTTP boundary. */
export function statusOf({ code }: Pick<CestaError, 'code'>): number {
  return errorTable[code].status;
}

/** What the reader can do about it. */
export function hintOf({ code }: Pick<CestaError, 'code'>): string {
  return errorTable[code].hint;
}

export function errorBody(error: CestaError): ErrorBody {
  return { code: error.code, message: error.message, hint: hintOf(error) };
}
