/** What the page asks of its server: the state, again and again, and buttons that answer with the state after them. */
import { signal } from '@preact/signals';
import type { BackstageState } from '../state.ts';

export const state = signal<BackstageState | null>(null);
/** What went wrong with the last thing asked, in words; null when it went well. */
export const trouble = signal<string | null>(null);

const token = document.documentElement.dataset['token'] ?? '';
const everyMs = 1000;

async function ask(method: 'GET' | 'POST' | 'DELETE', path: string): Promise<void> {
  const response = await fetch(path, { method, headers: { 'x-backstage-token': token }, cache: 'no-store' });
  const body: unknown = await response.json();
  if (!response.ok) throw new Error(messageOf(body));
  state.value = body as BackstageState;
}

function messageOf(body: unknown): string {
  const { error } = body as { readonly error?: { readonly message: string; readonly hint: string } };
  return error === undefined ? 'The demo gave no reason.' : `${error.message}. ${error.hint}`;
}

/** What a button does. */
export async function press(method: 'POST' | 'DELETE', path: string): Promise<void> {
  trouble.value = null;
  try {
    await ask(method, path);
  } catch (error) {
    trouble.value = error instanceof TypeError ? lost : (error as Error).message;
  }
}

const lost = 'The demo does not answer: was it stopped?';

export function startPolling(): void {
  let isLost = false;
  const poll = async (): Promise<void> => {
    try {
      await ask('GET', '/api/state');
      if (isLost) trouble.value = null;
      isLost = false;
    } catch (error) {
      isLost = true;
      trouble.value = error instanceof TypeError ? lost : (error as Error).message;
    }
    setTimeout(() => void poll(), everyMs);
  };
  void poll();
}
