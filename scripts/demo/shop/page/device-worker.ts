/** The worker of the device, as the SDK has it, that tells its page what it sends: under a name that only this page knows. */
import '../../../../client/storefront/device-worker.ts';
import { observeTraffic } from './observe.ts';

const channel = new BroadcastChannel(new URL(globalThis.location.href).searchParams.get('tell') ?? '');
observeTraffic((traffic) => channel.postMessage(traffic));
