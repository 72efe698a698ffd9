/** What the coordinator says of itself as it happens; asked for again and again where the stream is not to be had. */
import { signal } from '@preact/signals';
import { liveSchema, type Live } from '../schemas.ts';
import { addressOf, ask } from './api.ts';

export type Link =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'streaming' }
  /** The stream broke, or the coordinator has no room for it; `answers` is whether it can be asked. */
  | { readonly kind: 'polling'; readonly answers: boolean };

export const live = signal<Live | null>(null);
export const link = signal<Link>({ kind: 'connecting' });
/** Whoever reads wants the page to hold still. */
export const isPaused = signal(false);

const pollMs = 5_000;
/** How long the page asks before it tries the stream again. */
const retryMs = 20_000;

let latest: Live | null = null;

function show(next: Live): void {
  latest = next;
  if (!isPaused.value) live.value = next;
}

export function setPaused(paused: boolean): void {
  isPaused.value = paused;
  if (!paused && latest !== null) live.value = latest;
}

export function startFeed(): void {
  const source = new EventSource(addressOf('v1/rounds/stream'));
  source.addEventListener('snapshot', ({ data }: MessageEvent<string>) => {
    const parsed = liveSchema.safeParse(JSON.parse(data));
    if (!parsed.success) return;
    link.value = { kind: 'streaming' };
    show(parsed.data);
  });
  const fallBack = (): void => {
    // Not left to the browser: it would try again without a word.
    source.close();
    void poll(performance.now() + retryMs);
  };
  source.addEventListener('error', fallBack, { once: true });
}

async function poll(until: number): Promise<void> {
  try {
    show(await ask('v1/rounds/snapshot', liveSchema));
    link.value = { kind: 'polling', answers: true };
  } catch {
    // Said on the page; whatever it was, the next answer may be better.
    link.value = { kind: 'polling', answers: false };
  }
  if (performance.now() >= until) startFeed();
  else setTimeout(() => void poll(until), pollMs);
}
