/** The page of `cesta browser`: takes part with a history that is typed or read from a file. Runs in the browser. */
import { heldOnDevice } from '../../client/storefront/sdk.ts';
import type { DeviceEvent } from '../../client/storefront/device.ts';
import { deviceVisitsSchema, type DeviceVisit } from '../../client/storefront/device-history.ts';
import { takePart, type Seat } from '../../client/storefront/take-part.ts';
import { CestaError, toCestaError } from '../../shared/protocol/errors.ts';

const element = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const coordinator = new URLSearchParams(location.search).get('coordinator') ?? '';
const status = element('status');
const log = element('log');
const [start, withdraw] = [element<HTMLButtonElement>('start'), element<HTMLButtonElement>('withdraw')];
let seat: Seat | null = null;

function say(text: string): void {
  log.textContent = `${new Date().toLocaleTimeString()} ${text}\n${log.textContent}`;
}

/** @throws CestaError `usage.invalid` for a line that is no visit */
function visitsOf(text: string): DeviceVisit[] {
  return text.split('\n').map((line) => line.trim()).filter(Boolean).map((line) => {
    const [day, ...items] = line.split(/[\s,;]+/);
    const time = Date.parse(day) / 1000;
    if (!Number.isFinite(time) || items.length === 0) throw new CestaError('usage.invalid', `history: expected a day and items, got ${JSON.stringify(line)}`);
    return { time, items };
  });
}

async function readHistory(): Promise<readonly DeviceVisit[]> {
  const [file] = element<HTMLInputElement>('file').files ?? [];
  return file === undefined ? visitsOf(element<HTMLTextAreaElement>('history').value) : deviceVisitsSchema.parse(JSON.parse(await file.text()));
}

function describe(event: DeviceEvent): string {
  switch (event.kind) {
    case 'up':
      return `connected, task ${event.task}`;
    case 'down':
      return `away: ${event.reason}`;
    case 'joined':
      return `joined ${event.plan.round}`;
    case 'trained':
      return `${event.round}: trained on ${event.mapping.itemsMapped} items of the catalogue; epsilon ${event.spent.epsilon.toFixed(3)} spent in all`;
    case 'reported':
      return `${event.round}: ${event.bytes} bytes are with the coordinator`;
    case 'receipt':
      return `${event.round}: its receipt is kept here`;
    case 'declined':
    case 'refused':
    case 'round-failed':
      return `${event.kind}: ${event.code}: ${event.message}`;
    case 'round-done':
      return `${event.round}: release ${event.version}`;
    case 'over':
      return event.error === null ? 'left' : `${event.error.code}: ${event.error.message}`;
    default:
      return event.kind;
  }
}

async function join(): Promise<void> {
  seat = takePart({
    url: coordinator, degree: element<HTMLInputElement>('consent').checked ? 3 : 0, history: await readHistory(),
    maxEpsilon: element<HTMLInputElement>('epsilon').valueAsNumber, onEvent: (event) => say(describe(event)),
  });
  status.textContent = 'Taking part.';
  [start.disabled, withdraw.disabled] = [true, false];
  try {
    const summary = await seat.done;
    say(summary === null ? 'cut off' : `${summary.name}: ${summary.rounds} rounds reported in this visit (${summary.ended})`);
  } finally {
    [start.disabled, withdraw.disabled] = [false, true];
    const held = await heldOnDevice();
    status.textContent = `Not taking part. On record here: ${held?.spends.length ?? 0} reports, ${held?.receipts.length ?? 0} receipts, epsilon ${held?.spent.epsilon.toFixed(3) ?? '0'}.`;
  }
}

element('coordinator').textContent = coordinator;
withdraw.addEventListener('click', () => seat?.consent(2));
element<HTMLFormElement>('form').addEventListener('submit', (event) => {
  event.preventDefault();
  join().catch((thrown: unknown) => {
    const { code, message } = toCestaError(thrown);
    say(`${code}: ${message}`);
  });
});
