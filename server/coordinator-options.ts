/** What a coordinator is started with. */
import type { Logger } from 'pino';
import type * as z from 'zod';
import type { Catalogue } from '../shared/commerce/catalogue.ts';
import type { taskSpecSchema } from '../shared/federation/task.ts';
import type { WitnessPolicy } from '../shared/ledger/witness-policy.ts';
import type { Accountability } from '../shared/policy/accountability.ts';
import type { Policy } from '../shared/policy/policy.ts';
import type { Clock } from './clock.ts';
import type { GatewayLimits } from './gateway/context.ts';
import type { IdentityOptions } from './identity/identity.ts';
import type { ServerTls } from './transport.ts';

/**
 * A task as an operator asks for it, with defaults left out.
 * @interface
 */
export type TaskInput = Readonly<z.input<typeof taskSpecSchema>>;

export interface CoordinatorOptions {
  /** A {@link TaskInput}, checked here: the main task. Tasks that were made while an earlier process ran go on beside it. */
  readonly task: unknown;
  /** Hyper-parameters of the main task that keep the value with which it was started. */
  readonly keptHyperParameters?: readonly string[];
  /** Holds the journal, the releases and the signing key; one process at a time. */
  readonly dataDir: string;
  /** A `postgres:` address: the journal is there instead, one coordinator at a time; folder and database stay together. */
  readonly database?: string | undefined;
  /** Of the package pino, or what has its methods. */
  readonly logger: Logger;
  readonly host?: string;
  /** 0 picks one. */
  readonly port: number;
  /** Without it, the catalogue is the union of what the shops of the first round publish. */
  readonly catalogue?: Catalogue;
  /** Releases of the main task wanted in all, those of earlier processes included; by default, the rounds of the budget. */
  readonly roundsWanted?: number;
  /** How long the first ready shop waits for more than the quorum. */
  readonly gatherMs?: number;
  /** Pause after a failed round; doubles with each failure in a row. */
  readonly retryMs?: number;
  /** Reports that are taken in at the same time, each in a vector of its own; by default as many as 16 MB hold, and at least four. */
  readonly concurrentUploads?: number;
  /** An upload must advance by a full chunk within this time. */
  readonly stallMs?: number;
  /** Time for each stage of a masked session but that of the vectors; 30 s by default. */
  readonly stageMs?: number;
  /** Whose cosignatures the public record takes, and how many a plan needs before anybody is invited; none by default. */
  readonly witnesses?: WitnessPolicy;
  /** How long witnesses may take to sign a plan. */
  readonly witnessMs?: number;
  readonly limits?: Partial<GatewayLimits>;
  /** Who may take part. */
  readonly identity?: IdentityOptions;
  /** Required, or a proxy that does it, on an address that others reach. */
  readonly tls?: ServerTls;
  readonly behindTlsProxy?: boolean;
  /** Origins whose pages may read the public API; all, without it. */
  readonly corsOrigins?: readonly string[];
  /** Whether the pages of the dashboard are served; they are, unless this says otherwise. */
  readonly dashboard?: boolean;
  /** A JSON file of what somebody measured of the releases, read again whenever it changes. */
  readonly quality?: string | undefined;
  /** No task outside of it is started or made, and what it bans is in no catalogue. */
  readonly policy?: Policy;
  /** Who answers for it, told in `/.well-known/cesta.json`. */
  readonly accountability?: Accountability;
  readonly clock?: Clock;
}
