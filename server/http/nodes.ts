/** `POST /v1/nodes`: one signed envelope; its type says what is asked. Authority is in the signature, not in the path. */
import type { Express } from 'express';
import { nodesPath } from '../../shared/identity/requests.ts';
import { maxEnvelopeLength } from '../../shared/protocol/envelope.ts';
import type { Identity } from '../identity/identity.ts';
import { addressOf } from './address.ts';
import { readText } from './bodies.ts';
import { sendJson } from './documents.ts';
import { requireType } from './middleware.ts';

export interface NodesContext {
  readonly identity: Pick<Identity, 'receive' | 'chargeAddress'>;
  readonly behindProxy: boolean;
}

export function addNodes(app: Express, { identity, behindProxy }: NodesContext): void {
  app.post(nodesPath, requireType('application/json'), async (request, response) => {
    identity.chargeAddress('requestsPerAddress', addressOf(request, behindProxy));
    sendJson(response, await identity.receive(await readText(request, maxEnvelopeLength)));
  });
}
