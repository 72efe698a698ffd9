/**
 * A shopper's device as a participant: one person, by consent of degree 3. It trains, clips, rounds and adds noise with the
 * code of a shop node; what leaves is a vector of the plan's length, whatever the history holds. Runs wherever there are
 * sockets and a store: in a worker of the page.
 *
 * Security: in mode `local` the noise protects against everybody. In mode `distributed` it is a share, and this device is one
 * of those that `colluding` is about. The coordinator learns that a device takes part, when, and under which key; the key is
 * the same in every round. It does not protect against the scripts of the page itself.
 */
import { permits, type Degree } from '../../shared/commerce/consent.ts';
import type { WitnessPolicy } from '../../shared/ledger/witness-policy.ts';
import { CestaError, toCestaError } from '../../shared/protocol/errors.ts';
import { requireSecureAddress } from '../../shared/protocol/transport.ts';
import { openConnection } from '../connection.ts';
import { fetchCheckpoint, fetchTile, roundsAddress } from '../coordinator-api.ts';
import type { Fetch } from '../http.ts';
import { startParticipant, type ParticipantEvent, type ParticipantOptions } from '../participant.ts';
import { peerCheck } from '../peers.ts';
import { createRecordChecks, type RecordChecks } from '../record-checks.ts';
import { platformSockets, type OpenSocket } from '../socket.ts';
import { totalSpent, type SpendLimits } from '../spends.ts';
import { createTrainer, type TrainedEvent } from '../trainer.ts';
import { datasetOfDevice, type DeviceVisit } from './device-history.ts';
import { openDeviceRecords, type DeviceRecords } from './device-records.ts';
import type { DeviceStore } from './device-store.ts';

/** A part of a report is with the socket: these bytes leave the device. */
export interface SentEvent {
  readonly kind: 'sent';
  readonly bytes: number;
}

export type DeviceEvent = ParticipantEvent | TrainedEvent | SentEvent;

/** Plain data: it crosses from the page to its worker. */
export interface DeviceSettings {
  /** http: or https: address of the coordinator. */
  readonly url: string;
  readonly degree: Degree;
  readonly history: readonly DeviceVisit[];
  /** Null: takes part in rounds without protection, too, and without a limit. */
  readonly maxEpsilon: number | null;
  readonly maxDelta: number;
  /** The coordinator's key in hex; null trusts the first one met, and pins it. */
  readonly coordinatorKey: string | null;
  /** Null: all. */
  readonly tasks: readonly string[] | null;
  readonly witnesses: WitnessPolicy;
}

export interface DeviceOptions {
  readonly settings: DeviceSettings;
  readonly store: DeviceStore;
  readonly tell: (event: DeviceEvent) => void;
  readonly openSocket?: OpenSocket;
  readonly fetch?: Fetch;
}

export interface DeviceSummary {
  /** As the coordinator knows this device. */
  readonly name: string;
  /** Reports the coordinator accepted. */
  readonly rounds: number;
  /** By this device's own record, earlier visits included; null once anything was reported without privacy. */
  readonly epsilonSpent: number | null;
  readonly ended: 'closed' | 'withdrawn' | 'task-over';
}

export interface Device {
  /** The history from now on; a round under way goes on with what it started with. */
  learn(history: readonly DeviceVisit[]): void;
  /** Leaves the round that is open, and drops what was made for it. */
  leave(reason: DeviceSummary['ended']): void;
  /** Rejects with the error that ended it. */
  readonly done: Promise<DeviceSummary>;
}

/** The name follows from the key: a coordinator of open enrolment gives a name to the key that used it first. */
export function deviceName(publicKey: string): string {
  return `device-${publicKey.slice(0, 32)}`;
}

/**
 * @throws CestaError `usage.invalid` without consent; `config.invalid`, `storage.failed`, `transport.insecure`
 */
export async function startDevice(options: DeviceOptions): Promise<Device> {
  const { settings, store } = options;
  if (!permits(settings.degree, 'improve')) throw new CestaError('usage.invalid', `degree: expected 3, which lets a device help to improve, got ${settings.degree}`);
  const coordinator = new URL(settings.url);
  requireSecureAddress('url', coordinator);
  const records = await openDeviceRecords(store);
  await requireCoordinator(records, settings.coordinatorKey);
  return run(options, coordinator, records);
}

/** A key that is given is pinned like one that was met; two keys that disagree are for a person to decide. */
async function requireCoordinator(records: DeviceRecords, key: string | null): Promise<void> {
  if (key === null) return;
  if (!/^[0-9a-f]{64}$/.test(key)) throw new CestaError('config.invalid', `coordinatorKey: expected 32 bytes in lower-case hex, got ${JSON.stringify(key)}`);
  if (records.coordinatorKey === null) return records.pinCoordinator(key);
  if (records.coordinatorKey !== key) throw new CestaError('config.invalid', `coordinatorKey: expected the key pinned on this device, ${records.coordinatorKey}, got ${key}`);
}

function run(options: DeviceOptions, coordinator: URL, records: DeviceRecords): Device {
  const { settings, tell } = options;
  const fetch: Fetch = options.fetch ?? ((address, init) => globalThis.fetch(address, init));
  const record = recordOf(settings, { coordinator, fetch, records });
  const ending = createEnding();
  let history = settings.history;
  const participant = startParticipant({
    ...identityOf(options, coordinator, records),
    // One person, whatever the history: the answer to a plan tells nothing.
    ...createTrainer({
      coordinator, fetch, tell, capacity: 1,
      limits: limitsOf(settings),
      dataset: () => datasetOfDevice(history, settings.degree),
      coordinatorKey: () => records.coordinatorKey,
      commit: (decide) => records.spends.commit(decide),
    }),
    record,
    onEvent(event) {
      tell(event);
      if (event.kind === 'coordinator-key') records.pinCoordinator(event.key).catch(fail);
      if (event.kind === 'reported') ending.rounds += 1;
      if (event.kind === 'task-over') leave('task-over');
      if (event.kind === 'over') ending.settle(event.error);
    },
  });
  function fail(thrown: unknown): void {
    ending.settle(toCestaError(thrown));
    participant.stop();
  }
  function leave(reason: DeviceSummary['ended']): void {
    ending.reason = reason;
    participant.stop();
  }
  return { learn: (visits) => void (history = visits), leave, done: summaryOf(settings, { ending, records, record }) };
}

interface Ending {
  rounds: number;
  reason: DeviceSummary['ended'];
  /** The error that ended it, or null. */
  readonly over: Promise<CestaError | null>;
  settle(error: CestaError | null): void;
}

function createEnding(): Ending {
  let settle: (error: CestaError | null) => void = () => undefined;
  const over = new Promise<CestaError | null>((resolve) => (settle = resolve));
  return { rounds: 0, reason: 'closed', over, settle };
}

async function summaryOf(settings: DeviceSettings, { ending, records, record }: { ending: Ending; records: DeviceRecords; record: RecordChecks }): Promise<DeviceSummary> {
  const error = await ending.over;
  // What a round left behind in the public record is remembered before the device is gone.
  await record.settled();
  await records.settled();
  if (error !== null) throw error;
  const { epsilon } = totalSpent(await records.spends.read(), limitsOf(settings));
  return { name: deviceName(records.key.publicKey), rounds: ending.rounds, epsilonSpent: Number.isFinite(epsilon) ? epsilon : null, ended: ending.reason };
}

type IdentityOptions = Pick<ParticipantOptions, 'connect' | 'tasks' | 'budget' | 'masking' | 'receipts'>;

/** Who this device is to the coordinator, what it limits itself to, and where it keeps what it is told. */
function identityOf({ settings, tell, openSocket = platformSockets }: DeviceOptions, coordinator: URL, records: DeviceRecords): IdentityOptions {
  const { tasks, maxEpsilon, maxDelta } = settings;
  const { key } = records;
  const name = deviceName(key.publicKey);
  return {
    // A device publishes no products: which ones it knows of is its history.
    connect: (handlers) => openConnection({ url: roundsAddress(coordinator), openSocket: counting(openSocket, tell), shop: name, key, coordinatorKey: records.coordinatorKey, products: [], ...handlers }),
    ...(tasks === null ? {} : { tasks }),
    ...(maxEpsilon === null ? {} : { budget: { maxEpsilon, maxDelta, record: () => records.spends.read() } }),
    masking: { id: name, key, recordRelease: (sessionId) => records.recordRelease(sessionId), acceptDirectory: peerCheck(records.peers, { ownKey: key.publicKey }) },
    receipts: { shop: name, node: key.publicKey, keep: (receipt) => records.receipts.append(receipt) },
  };
}

/** Of all that a device sends, binary frames alone follow from what its shopper did. */
function counting(openSocket: OpenSocket, tell: (event: SentEvent) => void): OpenSocket {
  return (url, handlers) => {
    const socket = openSocket(url, handlers);
    return {
      get bufferedAmount() {
        return socket.bufferedAmount;
      },
      send(data) {
        socket.send(data);
        if (typeof data !== 'string') tell({ kind: 'sent', bytes: data.byteLength });
      },
      close: () => socket.close(),
    };
  };
}

function limitsOf({ maxEpsilon, maxDelta }: DeviceSettings): Partial<SpendLimits> {
  return { maxDelta, ...(maxEpsilon === null ? {} : { maxEpsilon }) };
}

function recordOf({ witnesses }: DeviceSettings, { coordinator, fetch, records }: { coordinator: URL; fetch: Fetch; records: DeviceRecords }): RecordChecks {
  return createRecordChecks({
    memory: records.heads,
    policy: witnesses,
    readTile: (address) => fetchTile(fetch, coordinator, address),
    readHead: () => fetchCheckpoint(fetch, coordinator),
  });
}
