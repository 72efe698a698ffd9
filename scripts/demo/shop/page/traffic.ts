/** The account that the drawer shows: what this page and its worker sent and fetched, and nothing that any other tab did. */
import { computed, signal } from '@preact/signals';
import { observeTraffic, type Traffic } from './observe.ts';

export interface Report {
  readonly round: string;
  readonly bytes: number;
  /** The first numbers of it, as they were sent. */
  readonly numbers: Int32Array;
}

type Entry = Exclude<Traffic, { kind: 'report' }>;

/** Oldest first. A page that is open for days keeps no more of them; the totals go on. */
const rowsKept = 200;
const reportsKept = 50;

export const reports = signal<readonly Report[]>([]);
export const rows = signal<readonly Entry[]>([]);
const none = { count: 0, bytes: 0 };
const totals = signal({ download: none, request: none, frame: none });
export const downloads = computed(() => totals.value.download);
/** Choices of degree, of which the shop node signs a receipt, and what takes one back. */
export const requests = computed(() => totals.value.request);
export const frames = computed(() => totals.value.frame);
/** What was made from what the shopper did. */
export const aboutYou = signal(none);

/** Where the worker of this page is to be started from, so that what it sends is in the account. */
export function startAccount(): URL {
  const name = crypto.randomUUID();
  observeTraffic(note);
  new BroadcastChannel(name).onmessage = ({ data }: MessageEvent<Traffic>) => note(data);
  return new URL(`/device-worker.js?tell=${name}`, location.href);
}

function note(traffic: Traffic): void {
  if (traffic.kind === 'report') return addFrame(traffic);
  const { count, bytes } = totals.value[traffic.kind];
  totals.value = { ...totals.value, [traffic.kind]: { count: count + 1, bytes: bytes + traffic.bytes } };
  rows.value = [...rows.value, traffic].slice(-rowsKept);
}

/** A long report comes in several frames. */
function addFrame({ round, bytes, numbers }: Report): void {
  const last = reports.value.at(-1);
  const goesOn = last?.round === round;
  aboutYou.value = { count: aboutYou.value.count + (goesOn ? 0 : 1), bytes: aboutYou.value.bytes + bytes };
  reports.value = goesOn ? [...reports.value.slice(0, -1), { ...last, bytes: last.bytes + bytes }] : [...reports.value, { round, bytes, numbers }].slice(-reportsKept);
}
