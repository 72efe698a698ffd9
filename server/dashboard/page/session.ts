/** The operator who is signed in on this page: the session is in memory alone, and gone with the tab. */
import { signal } from '@preact/signals';
import type * as z from 'zod';
import { emptySchema, nodesSchema, sessionSchema, sessionsPath } from '../../http/admin-schemas.ts';
import { toCestaError, type CestaError } from '../../../shared/protocol/errors.ts';
import { ask, type Call } from './api.ts';

export type Node = z.infer<typeof nodesSchema>['nodes'][number];

interface Session {
  readonly session: string;
  readonly operator: string;
  readonly expiresAt: string;
}

export const session = signal<Session | null>(null);
/** Why somebody is signed in no longer. */
export const parting = signal('');
export const nodes = signal<readonly Node[] | null>(null);

const below = (path: string): string => path.replace(/^\//, '');

/** @throws CestaError `admin.unauthorised`, `limit.rate` */
export async function signIn(token: string, code: string): Promise<void> {
  session.value = await ask(below(sessionsPath), sessionSchema, { method: 'POST', body: { token, code } });
  parting.value = '';
  await refreshNodes();
}

export async function signOut(): Promise<void> {
  const { value } = session;
  forget('You have signed out.');
  // Over for this page in any case; the coordinator ends it by itself after a while.
  if (value !== null) await ask(below(sessionsPath), emptySchema, { method: 'DELETE', session: value.session }).catch(() => undefined);
}

function forget(reason: string): void {
  session.value = null;
  nodes.value = null;
  parting.value = reason;
}

/** As the operator. @throws CestaError */
export async function askAsOperator<T>(path: string, schema: z.ZodType<T>, call: Call = {}): Promise<T> {
  try {
    return await ask(below(path), schema, { ...call, ...(session.value === null ? {} : { session: session.value.session }) });
  } catch (thrown) {
    const error: CestaError = toCestaError(thrown);
    if (error.code === 'admin.unauthorised') forget('The session is over. Sign in again.');
    throw error;
  }
}

export async function refreshNodes(): Promise<void> {
  if (session.value === null) return;
  nodes.value = (await askAsOperator('/v1/admin/nodes', nodesSchema)).nodes;
}
