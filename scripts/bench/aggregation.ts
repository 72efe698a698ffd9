/** What adding reports up costs the coordinator beyond receiving them: processor time of the one accumulator. */
import { createAccumulator } from '../../shared/federation/accumulator.ts';
import { parsePlan, type Plan } from '../../shared/federation/plan.ts';
import { randomWords } from './random-words.ts';

export interface AggregationBench {
  readonly participants: number;
  readonly length: number;
  /** Processor time, median of the runs, milliseconds. */
  readonly cpuMs: number;
  readonly peakRssMb: number;
}

const runs = 7;

/** Every participant's report is another vector, one at a time in memory, as they come off the wire. */
export function benchAggregation({ participants, length }: { participants: number; length: number }): AggregationBench {
  const plan = reportPlan({ participants, length });
  const report = randomWords(length);
  let peakRss = 0;
  const times = Array.from({ length: runs }, () => {
    const accumulator = createAccumulator(plan);
    const before = process.cpuUsage();
    for (let participant = 0; participant < participants; participant += 1) accumulator.add(report);
    const { user, system } = process.cpuUsage(before);
    peakRss = Math.max(peakRss, process.memoryUsage.rss());
    return (user + system) / 1000;
  }).sort((a, b) => a - b);
  return { participants, length, cpuMs: times[Math.floor(runs / 2)], peakRssMb: peakRss / 2 ** 20 };
}

/** Of reports that are summed as they come. */
export function reportPlan({ participants, length }: { participants: number; length: number }): Plan {
  return parsePlan({
    protocol: 1, task: 'bench', round: 'bench-1', model: { kind: 'popularity', hyperParameters: {} }, catalogueHash: '0'.repeat(64), statisticLength: length,
    bounds: { encoding: { kind: 'sparse' }, clipNorm: null, rowCap: 1, countValue: 1, clipBit: null, gridScale: 1, modulusBits: 32, maxShoppersPerShop: 1 },
    privacy: { mode: 'none' }, cohort: { minParticipants: 1, targetParticipants: participants, maxParticipants: participants },
    deadlines: { recruitingMs: 1, trainingMs: 1 }, baseRelease: null,
  });
}
