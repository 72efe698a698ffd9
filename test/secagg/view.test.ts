/**
 * What the coordinator sees. Two worlds in which two shops swap their reports have one sum; whoever reads everything
 * that was sent must not be able to tell them apart. Chi-squared by Pearson; with so many degrees of freedom the
 * statistic is close to normal with mean df and variance 2 df, and 6 standard deviations have a chance below 1e-6.
 */
import { describe, expect, it } from 'vitest';
import { secureRandom } from '../../shared/numerics/random.ts';
import type { ParticipantMessage } from '../../shared/secagg/messages.ts';
import { addMask } from '../../shared/secagg/prg.ts';
import { littleEndianWords } from '../../shared/secagg/ring.ts';
import { softwareKeystream } from '../../shared/secagg/software-crypto.ts';
import { platformCrypto } from '../../shared/secagg/web-crypto.ts';
import { encodeMessage } from '../../shared/secagg/wire.ts';
import { cheatTerms, openQuiet } from './attacks.ts';
import { run, type World } from './session.ts';

const length = 40_000;
const tensor = length / 2;
const terms = cheatTerms({ length, modulusBits: 32, noise: null });

/** Far apart, far from uniform, and each with a pattern of its own. */
const reports: readonly Int32Array[] = [0, 1, 2, 3].map((shop) => Int32Array.from({ length }, (_, i) => (shop === 0 ? 1000 : shop === 1 ? -(i % 7) : i % (10 * shop))));

/** A round whose randomness follows from `seed`, so that a test gives one result. */
async function worldOf(seed: number, order: readonly number[]): Promise<World> {
  const world = openQuiet({ participants: 4, terms, reports: (index) => reports[order[index]] });
  for (const [id, participant] of world.participants) {
    const stream = softwareKeystream(new Uint8Array(32).fill(seed * 16 + world.ids.indexOf(id)));
    const random = secureRandom((bytes) => bytes.set(stream.read(bytes.length)));
    world.participants.set(id, { ...participant, context: { ...participant.context, random } });
  }
  return run(world);
}

function vectorsIn({ view }: World): Int32Array[] {
  return view.flatMap(({ message }) => (message.kind === 'masked' ? [littleEndianWords(message.vector.slice())] : []));
}

/** How many standard deviations the counts are from those expected of equal chances. */
function deviation(counts: Float64Array): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const degrees = counts.length - 1;
  return (counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0) - degrees) / Math.sqrt(2 * degrees);
}

function bytesOf(words: Int32Array): Float64Array {
  const counts = new Float64Array(256);
  for (const byte of new Uint8Array(words.buffer, words.byteOffset, words.byteLength)) counts[byte] += 1;
  return counts;
}

function topsOf(words: Int32Array): Float64Array {
  const counts = new Float64Array(4096);
  for (const word of words) counts[word >>> 20] += 1;
  return counts;
}

const differences = (words: Int32Array, lag: number): Int32Array => Int32Array.from({ length: words.length - lag }, (_, i) => words[i + lag] - words[i]);

/** The largest deviation of a vector's bytes, of its words, and of the differences between places that a flaw would relate. */
function suspicion(vector: Int32Array): number {
  return Math.max(...[vector, differences(vector, 1), differences(vector, 4), differences(vector, tensor)].flatMap((words) => [Math.abs(deviation(bytesOf(words))), Math.abs(deviation(topsOf(words)))]));
}

/** Pearson's test that two histograms are of one distribution, in standard deviations. */
function distance(one: Float64Array, two: Float64Array): number {
  const sum = (counts: Float64Array): number => counts.reduce((total, count) => total + count, 0);
  const [a, b] = [Math.sqrt(sum(two) / sum(one)), Math.sqrt(sum(one) / sum(two))];
  const statistic = one.reduce((total, count, i) => total + (a * count - b * two[i]) ** 2 / (count + two[i]), 0);
  return (statistic - 255) / Math.sqrt(2 * 255);
}

describe('what the coordinator receives', () => {
  it('gives the same sum, the same kinds of messages and the same sizes when two shops swap their reports', async () => {
    const [one, two] = await Promise.all([worldOf(1, [0, 1, 2, 3]), worldOf(2, [1, 0, 2, 3])]);
    const shapeOf = ({ view }: World): unknown => view.map(({ from, message }) => [from, message.kind, encodeMessage(message).length]);
    expect(shapeOf(one)).toEqual(shapeOf(two));
    if (one.aggregator.state.kind !== 'done' || two.aggregator.state.kind !== 'done') throw new Error('expected two sums');
    expect(Buffer.compare(Buffer.from(one.aggregator.state.result.sum.buffer), Buffer.from(two.aggregator.state.result.sum.buffer))).toBe(0);
  });

  it('has masked vectors whose bytes, words and differences are uniform, whoever holds which report', async () => {
    for (const [seed, order] of [[1, [0, 1, 2, 3]], [2, [1, 0, 2, 3]]] as const) {
      const vectors = vectorsIn(await worldOf(seed, order));
      expect(vectors.reduce((words, vector) => words + vector.length, 0)).toBeGreaterThanOrEqual(100_000);
      for (const vector of vectors) expect(suspicion(vector)).toBeLessThan(6);
      // Of two vectors, too: each pair of them shares a mask, but neither adds up without the others.
      for (const [i, vector] of vectors.entries()) for (const other of vectors.slice(0, i)) for (const sign of [1, -1]) expect(Math.abs(deviation(bytesOf(vector.map((word, k) => word + sign * other[k]))))).toBeLessThan(6);
    }
  });

  it('tells the two worlds apart by nothing in anybody\'s bytes', async () => {
    const [one, two] = await Promise.all([worldOf(3, [0, 1, 2, 3]), worldOf(4, [1, 0, 2, 3])]);
    for (const id of one.ids) {
      const secretBytesOf = (world: World): Float64Array => {
        const counts = new Float64Array(256);
        for (const { from, message } of world.view) if (from === id) for (const value of secretFields(message)) for (const byte of value) counts[byte] += 1;
        return counts;
      };
      expect(Math.abs(distance(secretBytesOf(one), secretBytesOf(two)))).toBeLessThan(6);
    }
  });

  it('does not contain a report, in no message of any participant', async () => {
    const world = await worldOf(5, [0, 1, 2, 3]);
    for (const { from, message } of world.view) {
      const frame = Buffer.from(encodeMessage(message));
      const report = reports[world.ids.indexOf(from)];
      for (const start of [0, 8, tensor]) expect(frame.indexOf(Buffer.from(report.slice(start, start + 8).buffer))).toBe(-1);
    }
  });
});

/** What a participant made at random or masked: the rest has structure that says nothing. */
function secretFields(message: ParticipantMessage): Uint8Array[] {
  return message.kind === 'masked' ? [message.vector] : message.kind === 'shares' ? [message.boxes, message.commitments] : [];
}

describe('the test of a view', () => {
  const mask = async (words: number, seed: number): Promise<Int32Array> => {
    const stream = new Int32Array(words);
    await addMask(platformCrypto(), new Uint8Array(32).fill(seed), stream, 1);
    return stream;
  };

  it('catches a mask that was left out', () => {
    for (const report of reports) expect(suspicion(report)).toBeGreaterThan(100);
  });

  it('catches two tensors under one stream that was restarted', async () => {
    const stream = await mask(tensor, 77);
    for (const report of reports) expect(suspicion(report.map((value, i) => value + stream[i % tensor]))).toBeGreaterThan(100);
  });

  it('catches a stream of 16 bits', async () => {
    const stream = await mask(length, 78);
    expect(suspicion(reports[2].map((value, i) => value + (stream[i] >>> 16)))).toBeGreaterThan(100);
  });

  it('catches one mask for the reports of two worlds', async () => {
    const stream = await mask(length, 79);
    const [one, two] = [0, 1].map((shop) => reports[shop].map((value, i) => value + stream[i]));
    expect(deviation(bytesOf(one.map((word, i) => word - two[i])))).toBeGreaterThan(100);
  });

  it('takes a stream as it should be', async () => {
    const stream = await mask(length, 80);
    for (const report of reports) expect(suspicion(report.map((value, i) => value + stream[i]))).toBeLessThan(6);
  });
});
