/**
 * A witness: remembers how far it saw a coordinator's log, and signs a newer head only if it begins with that one, after
 * C2SP tlog-witness. What it saw is on disk before its signature leaves. It vouches for one history, not for what is
 * in it: `cesta verify` looks at that.
 */
import { addressBelow, type Fetch } from '../client/http.ts';
import { fetchCheckpoint, fetchTile } from '../client/coordinator-api.ts';
import { openStateFolder, type StateFolder } from '../client/shop/state-folder.ts';
import { cosignedSchema, errorSchema, federationSchema } from '../server/http/schemas.ts';
import { logKey, logOrigin, openCheckpoint } from '../shared/ledger/checkpoint.ts';
import { requireSuccessor, seenHead, type ReadTile, type SeenHead } from '../shared/ledger/followed-head.ts';
import { requireKeyName } from '../shared/ledger/signed-note.ts';
import { addCheckpoint, openWitness } from '../shared/ledger/witness.ts';
import { CestaError } from '../shared/protocol/errors.ts';
import { fetchJson } from './verify/served.ts';

export interface WitnessOptions {
  readonly coordinator: URL;
  readonly name: string;
  /** Key, pinned coordinator key and the last head are kept in a folder of this name below it; not a shop's. */
  readonly stateDir: string;
  readonly coordinatorKey?: string;
  readonly fetch?: typeof globalThis.fetch;
  /** Wall time. */
  readonly date?: () => Date;
}

export interface Witnessed {
  readonly size: number;
  readonly root: string;
  /** Witnesses that signed this head, as the coordinator counts them. */
  readonly cosignatures: number;
}

export interface Witness {
  /** What the operator has to be told: `serve --witness NAME=KEY`. */
  readonly identity: string;
  /**
   * Looks at the current head, signs it if it may be signed, and hands the signature in.
   * @throws CestaError `log.inconsistent` for a rewritten log: both notes are then in the state folder; `log.untrusted`
   * for a head of another key, or when the coordinator does not know this witness; `network.unreachable`.
   */
  look(): Promise<Witnessed>;
}

const timeoutMs = 30_000;

/**
 * @throws CestaError `config.invalid`, `storage.failed`
 * @example
 * const witness = openWitnessNode({ coordinator: new URL('http://127.0.0.1:8787'), name: 'auditor', stateDir: '.cesta/witnesses' });
 * await witness.look();
 */
export function openWitnessNode(options: WitnessOptions): Witness {
  const { fetch = globalThis.fetch } = options;
  const state = openStateFolder(options.stateDir, requireKeyName(options.name));
  if (options.coordinatorKey !== undefined) pin(state, options.coordinatorKey);
  return {
    identity: `${options.name}=${state.key.publicKey}`,
    async look() {
      const coordinatorKey = await keyOf(fetch, options.coordinator, state);
      const [head, note] = await cosign(options, state, fetch, coordinatorKey);
      return { size: head.size, root: head.root, cosignatures: await handIn(fetch, options.coordinator, note) };
    },
  };
}

/** The pinned key; the one that the coordinator names is pinned at first contact. */
async function keyOf(fetch: Fetch, coordinator: URL, state: StateFolder): Promise<string> {
  if (state.coordinatorKey !== null) return state.coordinatorKey;
  const { publicKey } = await fetchJson(fetch, coordinator, '.well-known/cesta.json', federationSchema);
  state.pinCoordinator(publicKey);
  return publicKey;
}

function pin(state: StateFolder, key: string): void {
  if (state.coordinatorKey !== null && state.coordinatorKey !== key) {
    throw new CestaError('coordinator.untrusted', `coordinator key: expected the key pinned in ${state.path}, ${state.coordinatorKey}, got ${key}`);
  }
  if (state.coordinatorKey === null) state.pinCoordinator(key);
}

/** The head, remembered, and the note with this witness's signature on it. */
async function cosign({ coordinator, name, date = () => new Date() }: WitnessOptions, { key, heads }: StateFolder, fetch: Fetch, coordinatorKey: string): Promise<readonly [SeenHead, string]> {
  const logKeys = [logKey(coordinatorKey)];
  const origin = logOrigin(coordinatorKey);
  const checkpoint = await fetchCheckpoint(fetch, coordinator);
  const head = await openCheckpoint(checkpoint, logKeys, origin);
  const known = heads.read(origin);
  const before = known ?? openWitness(origin);
  const readTile: ReadTile = (address) => fetchTile(fetch, coordinator, address);
  try {
    const proof = await requireSuccessor(before, head, readTile);
    const time = Math.floor(date().getTime() / 1000);
    const [, signature] = await addCheckpoint(before, { oldSize: before.size, proof, checkpoint }, { name, key, logKeys }, time);
    const seen = seenHead(head);
    // On disk before the signature leaves: a witness that forgets could sign two histories.
    if (known === null || seen.size > known.size) heads.write(seen);
    return [seen, `${head.note.text}\n${signature}`];
  } catch (error) {
    if (known !== null && error instanceof CestaError && error.code === 'log.inconsistent') heads.keepConflict(known, checkpoint);
    throw error;
  }
}

async function handIn(fetch: typeof globalThis.fetch, coordinator: URL, note: string): Promise<number> {
  const url = addressBelow(coordinator, 'v1/log/cosignatures');
  let body: unknown;
  try {
    const response = await fetch(url, { method: 'POST', body: note, headers: { 'Content-Type': 'text/plain' }, signal: AbortSignal.timeout(timeoutMs) });
    body = await response.json();
  } catch (cause) {
    throw new CestaError('network.unreachable', `POST ${url}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  const taken = cosignedSchema.safeParse(body);
  if (taken.success) return taken.data.cosignatures;
  const refused = errorSchema.safeParse(body);
  if (refused.success) throw new CestaError(refused.data.error.code, `POST ${url}: ${refused.data.error.message}`);
  throw new CestaError('protocol.malformed', `POST ${url}: expected the number of cosignatures, got another answer`);
}
