/** What one connection needs of the coordinator, as arguments. */
import type { Logger } from 'pino';
import type { CestaError } from '../../shared/protocol/errors.ts';
import type { Chunk } from '../../shared/protocol/messages.ts';
import type { CatalogueRoom } from '../catalogue-room.ts';
import type { Clock } from '../clock.ts';
import type { Admission } from '../identity/admission.ts';
import type { Meter } from '../meter.ts';
import type { Storage } from '../storage/storage.ts';
import type { RoundMessage } from './connection.ts';
import type { Sessions } from './sessions.ts';

/** What the gateway tells the rounds. A handler may throw a coded error: the frame is then refused with it. */
export interface GatewayEvents {
  /** `resumed`: the shop continues a session and may be in the middle of a round. */
  ready(participant: string, resumed: boolean): void;
  message(participant: string, message: RoundMessage): void;
  chunk(participant: string, chunk: Chunk): void;
  /** The connection is about to be closed for a fault of the participant's; `left` follows. */
  expelled(participant: string, error: CestaError): void;
  left(participant: string): void;
}

export interface GatewayLimits {
  /** From one step of the handshake to the next. */
  readonly handshakeMs: number;
  readonly heartbeatMs: number;
  /** Unread bytes after which a reader is cut off. */
  readonly maxBufferedBytes: number;
  readonly maxConnections: number;
  /** Bytes a connection may send before its key is proven. */
  readonly maxStrangerBytes: number;
  /** Mistakes after which a connection whose key is proven is closed. */
  readonly maxStrikes: number;
}

export const defaultGatewayLimits: GatewayLimits = {
  handshakeMs: 10_000,
  heartbeatMs: 15_000,
  maxBufferedBytes: 4 << 20,
  maxConnections: 10_000,
  // A hello with a certificate and a proof are some two thousand bytes.
  maxStrangerBytes: 16_384,
  maxStrikes: 3,
};

export interface GatewayContext {
  readonly task: string;
  readonly coordinatorKey: string;
  /** The coordinator's signature over a nonce that a shop chose, given to nobody before that shop proved its own key. */
  readonly proveKey: (nonce: string, shop: string) => string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly meter?: Meter;
  readonly limits: GatewayLimits;
  readonly room: Pick<CatalogueRoom, 'expects' | 'publish' | 'forget'>;
  readonly sessions: Sessions;
  readonly events: GatewayEvents;
  readonly pinNode: Storage['pinNode'];
  readonly admission: Admission;
  /** 32 fresh random bytes, hex. */
  readonly newNonce: () => string;
}
