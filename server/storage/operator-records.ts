/** What the coordinator must not forget about its operators: who they are, in digests and seals only, and what they did. */

export interface NewOperator {
  readonly name: string;
  /** SHA-256 of the token, hex. */
  readonly tokenHash: string;
  /** The secret of the second factor, sealed under a key that is not in the database. */
  readonly totpSealed: string;
}

export interface OperatorRecord extends NewOperator {
  /** Time step of the last code that counted; 0 before the first. */
  readonly lastTotpStep: number;
  readonly createdAt: string;
}

export interface NewAction {
  /** 1 for the first; numbers rise by one. */
  readonly number: number;
  /** Name of the operator, or how else authority was shown. */
  readonly operator: string;
  readonly action: string;
  /** What it was done to; null where the action says it. */
  readonly target: string | null;
  /** Id of the HTTP request, as the log has it; null for what came as an envelope. */
  readonly request: string | null;
}

export interface ActionRecord extends NewAction {
  readonly at: string;
  /** `done` or the code of the refusal; null while it is under way, and for ever where a crash came in between. */
  readonly outcome: string | null;
}

export interface OperatorRecords {
  /** Those in force, by name. */
  operators(): Promise<readonly OperatorRecord[]>;
  /** Adds an operator; whoever had the name, in force or not, is replaced. */
  putOperator(operator: NewOperator): Promise<void>;
  revokeOperator(name: string): Promise<void>;
  /** Notes the step of a code that counted; steps only rise. */
  noteTotpStep(name: string, step: number): Promise<void>;
  /** Number of the last action; 0 before the first. */
  lastAction(): Promise<number>;
  beginAction(action: NewAction): Promise<void>;
  endAction(number: number, outcome: string): Promise<void>;
  /** Actions with a number below `before`, newest first. */
  actions(page: { readonly before: number; readonly limit: number }): Promise<readonly ActionRecord[]>;
}
