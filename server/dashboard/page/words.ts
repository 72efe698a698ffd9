/** Figures and states in words, the same for the eye and for a screen reader. Pure. */
import type { LogEntry } from '../../../shared/ledger/log-entries.ts';
import type { LiveRound, Quality } from '../schemas.ts';

type BaselineName = Quality['baselines'][number]['name'];

export const baselineNames: Readonly<Record<BaselineName, string>> = { popularity: 'popularity', 'local-only': 'each shop alone', central: 'all data in one place, no privacy' };

/** Of their lines in charts. */
export const baselineDashes: Readonly<Record<BaselineName, string>> = { popularity: '2 4', 'local-only': '8 4', central: '12 3 2 3' };

export function bytesInWords(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
}

export function durationInWords(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${Math.round(seconds % 60)} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Without trailing digits that say nothing. */
export function figure(value: number, digits = 3): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(digits)));
}

export function plural(count: number, one: string, several = `${one}s`): string {
  return `${count} ${count === 1 ? one : several}`;
}

const phases: Readonly<Record<string, string>> = {
  waiting: 'waits for shops', opening: 'opens a round', recruiting: 'invites shops', training: 'shops train', masking: 'masked sum under way', releasing: 'release is being made',
  done: 'round done', failed: 'round failed', pausing: 'pauses after a failure', paused: 'paused by an operator', over: 'over', stopped: 'stopped',
};

export function phaseInWords(phase: string): string {
  return phases[phase] ?? phase;
}

/** Where everybody stands, in one sentence. */
export function participantsInWords({ phase, invited, waiting, joined, working, reported, dropped, declined }: LiveRound): string {
  const parts = [
    plural(invited, 'participant was invited', 'participants were invited'),
    ...(waiting > 0 ? [`${waiting} have not answered`] : []),
    `${joined} joined`,
    ...(phase === 'recruiting' ? [] : [`${working} working`, `${reported} reported`, `${dropped} dropped`]),
    ...(declined > 0 ? [`${declined} declined or left before training`] : []),
  ];
  return `${parts.join(', ')}.`;
}

/** What is said aloud when a round is over. */
export function endOfRound({ number, task, phase, failure, version, reported }: LiveRound): string {
  if (phase === 'failed') return `Round ${number} of ${task} failed: ${failure?.code ?? 'no reason given'}.`;
  return `Round ${number} of ${task} is done: ${plural(reported, 'report')}${version === null ? '' : `, release ${version}`}.`;
}

/** What epsilon lets an attacker learn. @param unit whose presence it is about */
export function oddsInWords(epsilon: number, unit: string): string {
  const factor = Math.exp(epsilon);
  const believed = (100 * factor) / (1 + factor);
  return `Whoever sees every release may find their odds that ${unit} took part multiplied by at most e^${figure(epsilon)} = ${factor >= 1e6 ? factor.toExponential(1) : figure(factor)}: a guess of 50 % may become one of ${believed > 99.99 ? 'more than 99.99' : figure(believed, believed > 99 ? 4 : 3)} %, and no more.`;
}

/** An epsilon that is left: what is next to nothing is no figure with nine places. */
export function leftInWords(epsilon: number): string {
  return epsilon > 0 && epsilon < 0.001 ? 'less than 0.001' : figure(epsilon, 4);
}

const short = (hex: string): string => hex.slice(0, 12);

/** An entry of the public record. */
export function entryInWords(entry: LogEntry): string {
  switch (entry.type) {
    case 'round-plan':
      return `The terms of round ${entry.plan.round} were fixed, before anybody was invited.`;
    case 'roster':
      return `${plural(entry.members.count, 'participant trains', 'participants train')} in round ${entry.round}${entry.groups === undefined ? '' : `, in ${entry.groups.length} groups`}.`;
    case 'budget-spend':
      return `Round ${entry.round} was charged to the privacy budget${entry.events.length === 0 ? ': nothing is promised' : `: ${plural(entry.events.length, 'mechanism')} of noise`}.`;
    case 'survivors':
      return `${plural(entry.members.count, 'report is', 'reports are')} in the sum of round ${entry.round}.`;
    case 'round-result':
      return `Round ${entry.round} ended in release ${entry.version} (${short(entry.release)})${entry.held === true ? ', which is held back' : ''}.`;
    case 'release-served':
      return `Release ${entry.version} of ${entry.task} is served (${entry.change} by the ${entry.reason})${entry.restores === undefined ? '' : `: the parameters of release ${entry.restores}`}.`;
    case 'node-enrolled':
      return `Node ${short(entry.node)} was enrolled.`;
    case 'node-revoked':
      return `Node ${short(entry.node)} was revoked: ${entry.reason}.`;
    case 'equivocation':
      return `Node ${short(entry.node)} signed two different statements in round ${entry.round}.`;
    default:
      return entry satisfies never;
  }
}
