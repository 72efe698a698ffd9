/**
 * A shopper's browser takes part in rounds: this is the page's side, which only starts a worker and passes messages on. Needs
 * consent of degree 3, and ends when that is withdrawn, when the page goes away, or when it is closed.
 * @module cesta/storefront/take-part
 */
import { permits, type Degree } from '../../shared/commerce/consent.ts';
import { noWitnesses, type WitnessPolicy } from '../../shared/ledger/witness-policy.ts';
import { CestaError } from '../../shared/protocol/errors.ts';
import type { BackendKind, WasmPaths } from '../../shared/tensors/backend-kinds.ts';
import type { TensorOptions } from '../../shared/tensors/runtime.ts';
import type { DeviceEvent, DeviceSettings, DeviceSummary } from './device.ts';
import { usualMaxDelta } from './device-constants.ts';
import type { DeviceVisit } from './device-history.ts';
import { fromPlain, fromPlainEvent, type FromDevice, type ToDevice } from './device-messages.ts';

/** A worker that is busy is not waited for: whoever withdraws shall not see it train on. */
const leaveWithinMs = 2_000;

export type { DeviceEvent, DeviceSummary, SentEvent } from './device.ts';
export type { BackendKind, WasmPaths } from '../../shared/tensors/backend-kinds.ts';

export interface TakePartOptions {
  /** Where the coordinator is, such as `/cesta` behind the shop's own server. */
  readonly url: string;
  /** What the shopper chose. */
  readonly degree: Degree;
  readonly history: readonly DeviceVisit[];
  /**
   * What this device spends at most, over all tasks and visits; rounds beyond it are declined, and so are those without
   * privacy. Null, for trials only: no limit, and rounds without privacy, too.
   */
  readonly maxEpsilon: number | null;
  readonly maxDelta?: number;
  /** The coordinator's key in hex; without it the first one met is trusted, and pinned. */
  readonly coordinatorKey?: string;
  /** Takes part in rounds of these tasks only; without it, of all. */
  readonly tasks?: readonly string[];
  readonly witnesses?: WitnessPolicy;
  /** Hears what happens; `trained` tells what was spent. */
  readonly onEvent?: (event: DeviceEvent) => void;
  /** The worker's file, from the page's own origin; by default `device-worker.js` beside this module. */
  readonly workerUrl?: string | URL;
  /** Where the `.wasm` files of the tensor backend are: a folder's URL, or a URL for each; by default beside the worker. */
  readonly wasmPaths?: WasmPaths;
  /** What trains models of tensors; by default WebAssembly, or plain JavaScript where that does not run. */
  readonly backend?: BackendKind;
}

export interface Seat {
  /**
   * Resolves when the device has left in good order, or to null when it was cut off before it could tell; rejects with what
   * ended it.
   */
  readonly done: Promise<DeviceSummary | null>;
  /** The history from the next round on. */
  learn(history: readonly DeviceVisit[]): void;
  /**
   * A degree below 3 withdraws: the round is left at once, and what was made for it is dropped. What was summed before cannot
   * be picked out of the sum again; its epsilon stays spent.
   */
  consent(degree: Degree): void;
  /** Leaves the open round, if any, and ends. */
  close(): Promise<void>;
}

/**
 * Has this device take part in rounds, in a worker, until it is closed.
 * @throws CestaError `usage.invalid` without consent of degree 3
 * @example
 * const seat = takePart({ url: '/cesta', degree: 3, maxEpsilon: 2, history: [{ time: 1_760_000_000, items: ['sku-7'] }] });
 * seat.consent(2); // at any time
 */
export function takePart(options: TakePartOptions): Seat {
  requireConsent(options.degree);
  const { workerUrl = new URL('./device-worker.js', import.meta.url), onEvent = () => undefined } = options;
  const worker = new Worker(workerUrl, { type: 'module' });
  const post = (message: ToDevice): void => worker.postMessage(message);
  const { done, cutOff } = watch(worker, onEvent);
  function leave(reason: DeviceSummary['ended']): Promise<void> {
    post({ kind: 'leave', reason });
    setTimeout(cutOff, leaveWithinMs);
    return done.then(() => undefined, () => undefined);
  }
  // A page that is kept aside for the way back would hold its seat without being there.
  globalThis.addEventListener('pagehide', cutOff, { once: true });
  post({ kind: 'start', settings: settingsOf(options), tensors: tensorsOf(options) });
  return {
    done,
    learn: (history) => post({ kind: 'learn', history }),
    consent(degree) {
      if (!permits(degree, 'improve')) void leave('withdrawn');
    },
    close: () => leave('closed'),
  };
}

function requireConsent(degree: Degree): void {
  if (!permits(degree, 'improve')) throw new CestaError('usage.invalid', `degree: expected 3, which lets a device help to improve, got ${degree}`);
}

/** The end of a worker, by its own word or by ours; after either there is no worker. */
function watch(worker: Worker, onEvent: (event: DeviceEvent) => void): { readonly done: Promise<DeviceSummary | null>; readonly cutOff: () => void } {
  let cutOff = (): void => undefined;
  const done = new Promise<DeviceSummary | null>((resolve, reject) => {
    cutOff = () => resolve(null);
    worker.onerror = ({ message }) => reject(new CestaError('config.invalid', `workerUrl: expected a worker that runs, got ${message || 'none that can be loaded'}`));
    worker.onmessage = ({ data }: MessageEvent<FromDevice>) => {
      switch (data.kind) {
        case 'event':
          return onEvent(fromPlainEvent(data.event));
        case 'ended':
          return resolve(data.summary);
        case 'failed':
          return reject(fromPlain(data.error));
        default:
          return data satisfies never;
      }
    };
  }).finally(() => worker.terminate());
  // A page that only listens to events hears of the end as `over`.
  done.catch(() => undefined);
  return { done, cutOff };
}

function settingsOf({ url, degree, history, maxEpsilon, maxDelta = usualMaxDelta, coordinatorKey, tasks, witnesses = noWitnesses }: TakePartOptions): DeviceSettings {
  return { url: new URL(url, globalThis.location.href).href, degree, history, maxEpsilon, maxDelta, coordinatorKey: coordinatorKey ?? null, tasks: tasks ?? null, witnesses };
}

function tensorsOf({ wasmPaths, backend }: TakePartOptions): TensorOptions {
  return { ...(wasmPaths === undefined ? {} : { wasmPaths }), ...(backend === undefined ? {} : { backend }) };
}
