/** A whole masked round in memory: honest machines, and hooks with which a test breaks one of them or the coordinator. */
import { signingKey, type SigningKey } from '../../shared/ledger/signing-key.ts';
import { secureRandom, type SecureRandom } from '../../shared/numerics/random.ts';
import { aggregatorStep, openAggregator } from '../../shared/secagg/aggregator.ts';
import type { AggregatorContext, AggregatorEffect, AggregatorEvent, AggregatorState, Blame } from '../../shared/secagg/aggregator-state.ts';
import type { SecaggCrypto } from '../../shared/secagg/crypto.ts';
import type { CoordinatorMessage, ParticipantMessage } from '../../shared/secagg/messages.ts';
import type { NoiseOf } from '../../shared/secagg/noise-chain.ts';
import { idleParticipant, participantStep } from '../../shared/secagg/participant.ts';
import type { ParticipantContext, ParticipantEffect, ParticipantEvent, ParticipantState } from '../../shared/secagg/participant-state.ts';
import { seededWords } from '../../shared/secagg/prg.ts';
import { parseTerms, type Terms } from '../../shared/secagg/terms.ts';
import { platformCrypto } from '../../shared/secagg/web-crypto.ts';

export const random: SecureRandom = secureRandom((bytes) => bytes.set(crypto.getRandomValues(new Uint8Array(bytes.length))));

export const coordinator: SigningKey = signingKey(new Uint8Array(32).fill(200));

export function keyOf(index: number): SigningKey {
  const secret = new Uint8Array(32);
  new DataView(secret.buffer).setUint32(0, index + 1);
  return signingKey(secret);
}

/** Ids in the order of their numbers. */
export function idOf(index: number): string {
  return `shop-${String(index).padStart(4, '0')}`;
}

export function termsOf(overrides: Partial<Terms> = {}): Terms {
  return parseTerms({
    protocol: 'cesta/silo-secagg/v1', round: 'demo-1', planHash: 'a'.repeat(64), modelHash: 'b'.repeat(64), coordinatorKey: coordinator.publicKey,
    length: 24, modulusBits: 32, minParticipants: 4, graph: { kind: 'complete' }, noise: null, ...overrides,
  });
}

/** Small integers that follow from the seed: noise that a test can add up. */
export const smallNoise = (crypto: SecaggCrypto, length: number): NoiseOf => async (seed) => {
  const words = await seededWords(crypto, seed, length);
  return Int32Array.from({ length }, () => (words.nextUint32() % 7) - 3);
};

/** What passes between the machines, as a test may see or change it: null to lose a message. */
export interface Hooks {
  /** On the way to the coordinator. */
  readonly fromParticipant?: (message: ParticipantMessage, from: string) => unknown;
  /** On the way to a participant. */
  readonly toParticipant?: (message: CoordinatorMessage, to: string) => unknown;
  /** After a message was delivered to the coordinator. */
  readonly afterMessage?: (message: ParticipantMessage, from: string, world: World) => Promise<void>;
}

export interface SessionOptions extends Hooks {
  readonly participants: number;
  readonly terms?: Terms;
  readonly crypto?: SecaggCrypto;
  readonly reports?: (index: number) => Int32Array;
  readonly noiseOf?: NoiseOf;
}

export interface World {
  readonly terms: Terms;
  readonly ids: readonly string[];
  readonly participants: Map<string, { readonly context: ParticipantContext; state: ParticipantState; readonly effects: ParticipantEffect[] }>;
  readonly aggregator: { readonly context: AggregatorContext; state: AggregatorState; readonly effects: AggregatorEffect[] };
  /** Everything that was sent to the coordinator, in order. */
  readonly view: { readonly from: string; readonly message: ParticipantMessage }[];
  tell(id: string, event: ParticipantEvent): Promise<void>;
  feed(event: AggregatorEvent): Promise<void>;
}

export function reportOf(index: number, length: number): Int32Array {
  return Int32Array.from({ length }, (_, i) => ((index + 1) * 31 + i * 7) % 101 - 50);
}

export function sumOf(reports: Iterable<Int32Array>, length: number): Int32Array {
  const sum = new Int32Array(length);
  for (const report of reports) for (let i = 0; i < length; i += 1) sum[i] += report[i];
  return sum;
}

export function openWorld({ participants: count, terms = termsOf(), crypto = platformCrypto(), reports, noiseOf, ...hooks }: SessionOptions): World {
  const ids = Array.from({ length: count }, (_, i) => idOf(i));
  const keys = ids.map((_, i) => keyOf(i));
  const directory = new Map(ids.map((id, i) => [id, keys[i].publicKey]));
  const noise = noiseOf ?? smallNoise(crypto, terms.length);
  const queue: { readonly from: string; readonly message: unknown; readonly sent: ParticipantMessage | null }[] = [];
  const world: World = {
    terms, ids,
    participants: new Map(ids.map((id, i) => [id, { context: { terms, id, identity: keys[i], directory, crypto, random, noiseOf: noise }, state: idleParticipant, effects: [] }])),
    aggregator: { context: { terms, directory, identity: coordinator, crypto, noiseOf: noise }, state: openAggregator, effects: [] },
    view: [],
    async tell(id, event) {
      const participant = world.participants.get(id);
      if (participant === undefined) return;
      const [state, effects] = await participantStep(participant.context, participant.state, event);
      participant.state = state;
      participant.effects.push(...effects);
      for (const effect of effects) {
        if (effect.kind === 'report-wanted') await world.tell(id, { kind: 'report', vector: (reports ?? ((i) => reportOf(i, terms.length)))(ids.indexOf(id)) });
        if (effect.kind !== 'send') continue;
        world.view.push({ from: id, message: effect.message });
        const message = hooks.fromParticipant === undefined ? effect.message : hooks.fromParticipant(effect.message, id);
        if (message !== null) queue.push({ from: id, message, sent: effect.message });
      }
      await drain();
    },
    async feed(event) {
      isFeeding = true;
      await deliver(event);
      isFeeding = false;
      await drain();
    },
  };
  async function deliver(event: AggregatorEvent): Promise<void> {
    const { aggregator } = world;
    const [state, effects] = await aggregatorStep(aggregator.context, aggregator.state, event);
    aggregator.state = state;
    aggregator.effects.push(...effects);
    for (const effect of effects) {
      if (effect.kind !== 'send') continue;
      const message = hooks.toParticipant === undefined ? effect.message : hooks.toParticipant(effect.message, effect.to);
      if (message !== null) await world.tell(effect.to, { kind: 'message', message });
    }
    await drain();
  }
  let isFeeding = false;
  let isDraining = false;
  /** One at a time: a step is under way while its effects are carried out. */
  async function drain(): Promise<void> {
    if (isDraining || isFeeding) return;
    isDraining = true;
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      await deliver({ kind: 'message', from: next.from, message: next.message });
      if (next.sent !== null) await hooks.afterMessage?.(next.sent, next.from, world);
    }
    isDraining = false;
  }
  return world;
}

/** Starts everybody and lets silence time out until the round is over. */
export async function run(world: World): Promise<World> {
  await world.feed({ kind: 'start', invited: world.ids });
  for (const id of world.ids) await world.tell(id, { kind: 'start' });
  for (let step = 0; step < 8 && !isOver(world); step += 1) await world.feed({ kind: 'deadline' });
  return world;
}

export function isOver({ aggregator: { state } }: World): boolean {
  return state.kind === 'done' || state.kind === 'failed';
}

export function blamedIn({ aggregator: { effects } }: World): Blame[] {
  return effects.flatMap((effect) => (effect.kind === 'exclude' ? [effect.blame] : []));
}

/** Participants that sent shares of anybody's secrets. */
export function revealers({ view }: World): string[] {
  return view.filter(({ message }) => message.kind === 'unmask').map(({ from }) => from);
}
