/**
 * The worker that a device takes part in: sockets, storage and training are here, so that the page never waits for them. One
 * tab of an origin at a time; where the browser has no locks, the coordinator refuses the second connection of a name.
 */
import { CestaError } from '../../shared/protocol/errors.ts';
import { configureTensors } from '../../shared/tensors/runtime.ts';
import { deviceDatabase } from './device-constants.ts';
import { startDevice, type Device, type DeviceSettings } from './device.ts';
import { plainError, plainEvent, type FromDevice, type ToDevice } from './device-messages.ts';
import { openDeviceStore } from './device-store.ts';

/** What is used of a worker's global scope. */
interface WorkerScope {
  postMessage(message: FromDevice): void;
  addEventListener(type: 'message', listener: (event: { readonly data: ToDevice }) => void): void;
}

const page = globalThis as unknown as WorkerScope;
let device: Device | null = null;
/** The page left before the device was there. */
let leaving: Extract<ToDevice, { kind: 'leave' }> | null = null;

page.addEventListener('message', ({ data: message }) => {
  switch (message.kind) {
    case 'start':
      // Beside this file unless told otherwise; where they are not, models of tensors train in plain JavaScript.
      configureTensors({ wasmPaths: new URL('./', import.meta.url).href, ...message.tensors });
      return void alone(() => live(message.settings)).catch((thrown: unknown) => page.postMessage({ kind: 'failed', error: plainError(thrown) }));
    case 'learn':
      return device?.learn(message.history);
    case 'leave':
      leaving = message;
      return device?.leave(message.reason);
    default:
      return message satisfies never;
  }
});

async function live(settings: DeviceSettings): Promise<void> {
  const store = await openDeviceStore(deviceDatabase);
  try {
    device = await startDevice({ settings, store, tell: (event) => page.postMessage({ kind: 'event', event: plainEvent(event) }) });
    if (leaving !== null) device.leave(leaving.reason);
    page.postMessage({ kind: 'ended', summary: await device.done });
  } finally {
    store.close();
  }
}

async function alone(work: () => Promise<void>): Promise<void> {
  const { locks } = globalThis.navigator as Partial<Navigator>;
  if (locks === undefined) return work();
  await locks.request(deviceDatabase, { ifAvailable: true }, (lock) => {
    if (lock === null) throw new CestaError('node.name-taken', 'device: expected no other tab of this origin to take part, got one that does');
    return work();
  });
}
