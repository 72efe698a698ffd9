/**
 * What a page and the worker of its device say to each other. Errors lose their codes on the way between threads, so they
 * travel as plain data.
 */
import type { ConnectionEvent } from '../connection.ts';
import type { ErrorCode } from '../../shared/protocol/error-table.ts';
import { CestaError, toCestaError } from '../../shared/protocol/errors.ts';
import type { TensorOptions } from '../../shared/tensors/runtime.ts';
import type { DeviceEvent, DeviceSettings, DeviceSummary } from './device.ts';
import type { DeviceVisit } from './device-history.ts';

export type ToDevice =
  | { readonly kind: 'start'; readonly settings: DeviceSettings; readonly tensors: TensorOptions }
  | { readonly kind: 'learn'; readonly history: readonly DeviceVisit[] }
  | { readonly kind: 'leave'; readonly reason: DeviceSummary['ended'] };

export interface PlainError {
  readonly code: ErrorCode;
  readonly message: string;
}

type WithPlainError<E> = E extends { readonly error: unknown } ? Omit<E, 'error'> & { readonly error: PlainError | null } : E;
type PlainEvent = WithPlainError<DeviceEvent>;

export type FromDevice =
  | { readonly kind: 'event'; readonly event: PlainEvent }
  | { readonly kind: 'ended'; readonly summary: DeviceSummary }
  | { readonly kind: 'failed'; readonly error: PlainError };

export function plainError(thrown: unknown): PlainError {
  const { code, message } = toCestaError(thrown);
  return { code, message };
}

export function fromPlain({ code, message }: PlainError): CestaError {
  return new CestaError(code, message);
}

export function plainEvent(event: DeviceEvent): PlainEvent {
  return 'error' in event ? { ...event, error: event.error === null ? null : plainError(event.error) } : event;
}

export function fromPlainEvent(event: PlainEvent): DeviceEvent {
  return 'error' in event ? { ...event, error: event.error === null ? null : fromPlain(event.error) } as Extract<ConnectionEvent, { error: unknown }> : event;
}
