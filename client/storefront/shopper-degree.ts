/**
 * The degree in force and what follows from it: where the shopper's data is, who may read it, and that it goes when the degree
 * falls. A degree falls within one synchronous call; erasing what was kept goes on after it, in the next visit if need be.
 */
import type { Degree } from '../../shared/commerce/consent.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import { choiceEntry, keepChoice, readChoice, rememberedDegree, type Withdrawal } from './choice.ts';
import { deviceDatabase, shopperDatabase } from './device-constants.ts';
import { emptyProfile, areSameInterests, visitWithin, withEvents, withForeignSettings, withoutReceipts, withSettings, withVisit, type Change, type HeldReceipt } from './profile.ts';
import type { ProfileStore } from './profile-store.ts';
import type { Gate } from './shopper.ts';
import { readSpent, sit, sitAgain, stand } from './shopper-rounds.ts';
import { apply, capOf, createState, databaseNames, fetchOf, learn, nothing, nowOf, save, tell, wantedDegree, type ShopperOptions, type ShopperState } from './shopper-state.ts';

export interface Choice {
  readonly degree: Degree;
  readonly notice?: string | null;
  readonly despiteGpc?: boolean;
}

export interface Beginning {
  readonly state: ShopperState;
  readonly loaded: Promise<void>;
  readonly end: () => Promise<void>;
}

/** Begins with what is remembered of a choice, under the signals there are. */
export function begin(options: ShopperOptions, { kept, lowered, events, listeners }: Gate): Beginning {
  const { degree, notice, despiteGpc } = kept;
  const state = createState(options, { chosen: degree, despiteGpc, listeners }, enforce);
  // Consent to an older notice does not count, and what was kept by it goes.
  const isOutdated = degree !== null && degree >= 2 && options.notice !== undefined && notice !== options.notice.version;
  const chosen = lowered ?? (isOutdated ? options.defaultDegree ?? 0 : null);
  if (events.length > 0) state.all = state.visit = withEvents(events, nowOf(state))(emptyProfile);
  if (chosen === null) enforce(state);
  else choose(state, { degree: chosen, notice });
  const hear = ({ key }: StorageEvent): void => {
    if (key === null || key === choiceEntry) follow(state);
  };
  const page = globalThis as Partial<typeof globalThis>;
  // Nothing is heard in the browser's cache of pages; before this, a seat would be taken again on the way back.
  const back = ({ persisted }: PageTransitionEvent): void => {
    if (persisted) follow(state);
  };
  page.addEventListener?.('storage', hear);
  page.addEventListener?.('pageshow', back);
  // What another tab withdrew between the reading of the choice and this.
  if (rememberedWish(state) < wantedDegree(state)) follow(state);
  // What is owed is told whatever became of the rest.
  const loaded = load(state).finally(() => deliver(state).catch(() => undefined));
  // Whoever does not wait for it sees in `privacy` that nothing is on the device.
  loaded.catch(() => undefined);
  return {
    state, loaded,
    async end() {
      page.removeEventListener?.('storage', hear);
      page.removeEventListener?.('pageshow', back);
      state.signals.close();
      // Whatever was asked for before and is still under way is not put in force any more.
      state.turn += 1;
      const { seat, store, saving } = state;
      await Promise.all([seat?.close(), saving]);
      store?.close();
    },
  };
}

async function load(state: ShopperState): Promise<void> {
  await Promise.all([state.opening, state.erasing]);
  const names = await databaseNames();
  // A tab was closed before all was gone, or the choice was cleared without what it covered.
  if (names?.includes(shopperDatabase) !== false && (readChoice().degree ?? 0) < 2) await (state.erasing = erase(state, names === null ? null : reopened()));
  if (names?.includes(deviceDatabase) ?? state.degree >= 2) await readSpent(state);
}

/**
 * Puts a choice in force. What it takes away is out of reach when this returns; when it is erased, `erasing` tells.
 * @returns Whether it will be remembered.
 */
export function choose(state: ShopperState, { degree, notice = null, despiteGpc = false }: Choice): boolean {
  const before = wantedDegree(state);
  const isLower = degree < before;
  // Its receipts are withdrawn, too, be they read yet or not: another tab may have put its own in the place of those known here.
  const isOnDevice = state.store !== null && degree >= 2;
  const unread = !isLower || before < 2 || isOnDevice ? null : state.early === null ? reopened() : state.opening;
  state.turn += 1;
  state.chosen = degree;
  state.despiteGpc = despiteGpc;
  const isKept = keepChoice({ degree: rememberedDegree(degree, state.options), notice: degree >= 2 ? notice : null, despiteGpc });
  if (isLower) owe(state, state.all.receipts);
  enforce(state);
  if (!isLower) return isKept;
  apply(state, owing(state), 'privacy');
  // Erased as well; what the page still goes by is kept anew with the next consent.
  if (before >= 2 && degree < 2) state.unsaved = [withSettings(state.all.settings)];
  state.erasing = before >= 2 && degree < 2 ? erase(state, unread) : oweUnread(state, unread).then(() => state.saving.catch(() => undefined));
  if (before === 3) state.erasing = Promise.all([state.erasing, import('./forget-measured.ts').then(({ forgetMeasured }) => forgetMeasured())]).then(() => undefined);
  // Whoever waits hears of a failure; else it is tried again in the next visit.
  state.erasing.then(() => deliver(state)).catch(() => undefined);
  return isKept;
}

/** What another tab of this origin chose. */
function follow(state: ShopperState): void {
  const { degree, despiteGpc, notice } = readChoice();
  const wanted = wantedDegree(state);
  if (degree === rememberedDegree(wanted, state.options)) return;
  // Up with the notice alone, down whatever this page shows.
  if (rememberedWish(state) > wanted && degree !== null && degree >= 2 && notice !== state.options.notice?.version) return;
  state.turn += 1;
  state.chosen = degree;
  state.despiteGpc = despiteGpc;
  enforce(state);
  if (state.degree >= 2) return;
  // That tab tells the shop and erases; this one lets go.
  apply(state, withoutReceipts, 'privacy');
  state.unsaved = [withForeignSettings(state.all.settings)];
}

/** What the choice on this device comes to in a page like this one. */
function rememberedWish({ options }: ShopperState): Degree {
  return wantedDegree({ chosen: readChoice().degree, options });
}

/** Brings the degree in force to what is chosen and what signals let through. */
export function enforce(state: ShopperState): void {
  const cap = capOf(state);
  const wanted = wantedDegree(state);
  // What is decided against the rounds or the device's memory is a withdrawal like one made here, and does not come back by itself.
  if (cap?.isDecided === true && cap.degree < wanted && wanted >= 2) return void choose(state, { degree: cap.degree, notice: readChoice().notice });
  const before = state.degree;
  state.degree = cap !== null && cap.degree < wanted ? cap.degree : wanted;
  if (state.degree < 3) stand(state);
  if (state.degree < 2) {
    state.store?.close();
    [state.store, state.early, state.saving, state.opening] = [null, null, nothing, Promise.resolve(null)];
    state.visit = { ...(state.degree < 1 ? emptyProfile : state.visit), settings: state.all.settings };
    [state.all, state.before] = [state.visit, []];
  }
  if (state.degree >= 2 && before < 2) {
    state.opening = open(state);
    state.opening.catch(() => undefined);
  }
  if (state.degree === 3 && before < 3) void sit(state);
  tell(state, 'privacy');
  tell(state, 'history');
}

async function open(state: ShopperState): Promise<ProfileStore> {
  const changes: Change[] = [...(state.visit === emptyProfile ? [] : [withVisit(state.visit, nowOf(state))]), ...state.unsaved];
  state.early = changes;
  const isCurrent = (): boolean => state.early === changes;
  try {
    // What is still to be erased must not come back.
    await state.erasing;
    const { openProfileStore } = await import('./profile-store.ts');
    const store: ProfileStore = await openProfileStore(shopperDatabase, () => void hearOthers(state, store).catch(() => undefined));
    if (!isCurrent()) return store;
    state.all = changes.reduce((profile, change) => change(profile), store.opened);
    [state.store, state.early, state.unsaved, state.before] = [store, null, [], store.opened.events];
    for (const change of changes) save(state, store, change);
    tell(state, 'history');
    await state.saving;
    return store;
  } catch (thrown) {
    if (isCurrent()) state.early = null;
    throw thrown;
  }
}

/** Another tab changed what is on the device: this one has it, too, and so has its seat. */
async function hearOthers(state: ShopperState, store: ProfileStore): Promise<void> {
  const { changes } = state;
  const read = await store.read();
  if (state.store !== store) return;
  // What was changed here meanwhile may be in it or not.
  if (state.changes !== changes) return hearOthers(state, store);
  const known = state.all;
  [state.all, state.visit] = [read, visitWithin(state.visit, read)];
  const areSame = (field: 'settings' | 'receipts'): boolean => JSON.stringify(known[field]) === JSON.stringify(read[field]);
  if (!areSameInterests(known, read)) {
    learn(state);
    tell(state, 'history');
  }
  if (!areSame('settings')) tell(state, 'settings');
  if (!areSame('receipts')) tell(state, 'privacy');
  if (read.settings.maxEpsilon !== known.settings.maxEpsilon) await sitAgain(state);
}

/** The store of an earlier page, for what is left in it; null where it does not open. */
async function reopened(): Promise<ProfileStore | null> {
  const { openProfileStore } = await import('./profile-store.ts');
  return openProfileStore(shopperDatabase).catch(() => null);
}

/** Notes, beside those that are owed already, what the shop has to be told; in the page, too, which may have no storage. */
function owe(state: ShopperState, receipts: readonly HeldReceipt[]): void {
  const all = new Map([...readChoice().withdrawals, ...state.owed].map((withdrawal) => [withdrawal.id, withdrawal]));
  for (const { receipt: { record }, secret } of receipts) all.set(record.record_id, { id: record.record_id, secret });
  state.owed = [...all.values()];
  keepChoice({ withdrawals: state.owed });
}

/** Without receipts, whichever are there by now: on the device it runs under the lock. */
function owing(state: ShopperState): Change {
  return (profile) => {
    owe(state, profile.receipts);
    return withoutReceipts(profile);
  };
}

async function oweUnread(state: ShopperState, unread: Promise<ProfileStore | null> | null): Promise<void> {
  const store = await unread?.catch(() => null) ?? null;
  if (store === null) return;
  owe(state, store.opened.receipts);
  if (store === state.store) return;
  await store.change(owing(state)).finally(() => store.close());
}

/** @throws CestaError `storage.failed` */
async function erase(state: ShopperState, unread: Promise<ProfileStore | null> | null): Promise<void> {
  await oweUnread(state, unread).catch(() => undefined);
  const { indexedDB } = globalThis as { readonly indexedDB?: IDBFactory };
  if (indexedDB === undefined) return;
  await new Promise<void>((resolve, reject) => {
    const deleting = indexedDB.deleteDatabase(shopperDatabase);
    deleting.onsuccess = () => resolve();
    deleting.onerror = () => reject(new CestaError('storage.failed', `IndexedDB ${shopperDatabase}: expected to be deleted, and it was not`, { cause: deleting.error }));
  });
}

/** Consents that are in force no more, and how the shop is told: now, or in a later visit. */
export async function withdraw(state: ShopperState, receipts: readonly HeldReceipt[]): Promise<void> {
  owe(state, receipts);
  await deliver(state);
}

function deliver(state: ShopperState): Promise<void> {
  const delivering = state.delivering.then(() => deliverOwed(state));
  state.delivering = delivering.catch(() => undefined);
  return delivering;
}

async function deliverOwed(state: ShopperState): Promise<void> {
  const { shop } = state.options;
  const waiting = new Map([...readChoice().withdrawals, ...state.owed].map((withdrawal) => [withdrawal.id, withdrawal]));
  if (shop === undefined || shop === null || waiting.size === 0) return;
  const { withdrawConsent } = await import('./consents.ts');
  for (const withdrawal of waiting.values()) {
    if (!(await withdrawConsent({ shop, fetch: fetchOf(state) }, withdrawal))) continue;
    const isAnother = ({ id }: Withdrawal): boolean => id !== withdrawal.id;
    state.owed = state.owed.filter(isAnother);
    keepChoice({ withdrawals: readChoice().withdrawals.filter(isAnother) });
  }
}
