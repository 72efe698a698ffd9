/**
 * A masked round in groups: a session for each, side by side, with one charge for all of them before anything is
 * revealed, and a robust combination of their sums at the end. A few malicious shops spoil the sums of their groups at
 * most. Memory is one vector a group. Does not protect against: as many spoilt groups as the rule was not made for.
 */
import { combineSums, rowOfSum } from '../shared/federation/robust/sums.ts';
import { drawGroups, type Group } from '../shared/federation/group-draw.ts';
import { advanceGroups, groupsLeft, openGroups, type GroupEvent, type GroupSums } from '../shared/federation/group-sums.ts';
import { fewestRows } from '../shared/federation/robust/combine-rows.ts';
import type { MaskingStage } from '../shared/federation/round.ts';
import type { ErrorCode } from '../shared/protocol/error-table.ts';
import { CestaError, toCestaError } from '../shared/protocol/errors.ts';
import { createMaskedRound, type GroupMembers, type MaskedRound, type MaskedRoundOptions, type MaskedSession } from './masked-round.ts';

export interface GroupedRoundOptions extends Omit<MaskedRoundOptions, 'group'> {
  /** The round goes on without these members: their group has no sum. */
  readonly onLeftOut: (participants: readonly string[], error: CestaError) => void;
}

interface Member {
  readonly directory: Group['directory'];
  readonly session: MaskedSession;
  stage: MaskingStage;
  answered: number;
  roster: readonly string[];
  survivors: readonly string[];
  excessNoise: readonly string[];
  /** Lets the session go on to what reveals its sum. */
  proceed: () => void;
}

interface Shell {
  readonly options: GroupedRoundOptions;
  readonly members: Member[];
  sums: GroupSums;
  isClosed: boolean;
}

const stages: readonly MaskingStage[] = ['keys', 'nonces', 'shares', 'masked', 'confirm', 'unmask'];

/** @throws CestaError like {@link drawGroups} */
export function createGroupedRound(options: GroupedRoundOptions): MaskedRound {
  const { robust } = options.plan;
  if (robust?.groups === undefined) throw new CestaError('internal', 'grouped round: expected a plan with groups, got none');
  const shell: Shell = { options, members: [], sums: openGroups(robust.groups, fewestRows(robust.rule, robust.byzantine)), isClosed: false };
  for (const group of drawGroups(options.plan, options.directory)) shell.members.push(openGroup(shell, group));
  const of = (participant: string): MaskedSession => {
    const member = shell.members.find(({ directory }) => directory.has(participant));
    if (member === undefined) throw new CestaError('round.not-member', 'masked: expected a member of this round');
    return member.session;
  };
  return {
    start: () => shell.members.forEach(({ session }) => session.start()),
    message: (participant, frame) => of(participant).message(participant, frame),
    announce: (participant, announcement) => of(participant).announce(participant, announcement),
    chunk: (participant, offset, data) => of(participant).chunk(participant, offset, data),
    left: (participant) => shell.members.find(({ directory }) => directory.has(participant))?.session.left(participant),
    decode: () => combineSums(robust, summed(shell).map(({ session }) => rowOfSum(session.decode()))),
    get participants() {
      return summed(shell).reduce((count, { survivors }) => count + survivors.length, 0);
    },
    get groups() {
      return membersLeft(shell, ({ survivors }) => survivors);
    },
    close: () => close(shell),
  };
}

function openGroup(shell: Shell, { terms, directory }: Group): Member {
  const { options } = shell;
  const { index: group } = terms;
  const member: Member = {
    directory, stage: 'keys', answered: 0, roster: [], survivors: [], excessNoise: [], proceed: () => undefined,
    session: createMaskedRound({
      ...options, group: terms, directory,
      commit: (roster) => new Promise((resolve) => {
        member.roster = roster;
        member.proceed = resolve;
        take(shell, { kind: 'ready', group });
      }),
      onStage(stage, answered) {
        member.stage = stage;
        member.answered = answered;
        tellStage(shell);
      },
      onSummed({ survivors, excessNoise }) {
        member.survivors = survivors;
        member.excessNoise = excessNoise;
        take(shell, { kind: 'summed', group });
      },
      onFailed: (code, reason) => take(shell, { kind: 'failed', group }, new CestaError(code, `group ${group + 1} of ${terms.groups}: ${reason}`)),
    }),
  };
  return member;
}

/** @param why of a group that failed */
function take(shell: Shell, event: GroupEvent, why: CestaError | null = null): void {
  if (shell.isClosed) return;
  const { options, members } = shell;
  const [sums, decision] = advanceGroups(shell.sums, event);
  shell.sums = sums;
  if (why !== null && decision !== 'fail') options.onLeftOut([...members[event.group].directory.keys()], why);
  switch (decision) {
    case 'wait':
      return;
    case 'reveal':
      return void reveal(shell);
    case 'combine': {
      const all = summed(shell);
      return options.onSummed({ survivors: all.flatMap(({ survivors }) => survivors), excessNoise: all.flatMap(({ excessNoise }) => excessNoise) });
    }
    case 'fail':
      return fail(shell, why?.code ?? 'round.failed', `groups: expected at least ${sums.fewest}, got ${groupsLeft(sums).length} left; ${why?.message ?? 'no reason given'}`);
    default:
      return decision satisfies never;
  }
}

/** One charge for all sums: a shop is in one of them, so a shopper is in one. */
async function reveal(shell: Shell): Promise<void> {
  const groups = membersLeft(shell, ({ roster }) => roster);
  try {
    await shell.options.commit(groups.flatMap(({ participants }) => participants), groups);
  } catch (thrown) {
    const { code, message } = toCestaError(thrown);
    return fail(shell, code, message);
  }
  for (const { proceed } of shell.members) proceed();
}

function fail(shell: Shell, code: ErrorCode, reason: string): void {
  if (shell.isClosed) return;
  close(shell);
  shell.options.onFailed(code, reason);
}

/** Sessions that wait for the charge go on to nothing, since they are closed. */
function close(shell: Shell): void {
  shell.isClosed = true;
  for (const { session, proceed } of shell.members) {
    session.close();
    proceed();
  }
}

function summed({ members, sums }: Shell): Member[] {
  return members.filter((_member, group) => sums.groups[group] === 'summed');
}

function membersLeft({ members, sums }: Shell, of: (member: Member) => readonly string[]): GroupMembers[] {
  return groupsLeft(sums).map((group) => ({ group, participants: of(members[group]) }));
}

/** That of the group that has come least far; members of others have answered it. */
function tellStage({ members, sums, options }: Shell): void {
  const left = groupsLeft(sums).map((group) => members[group]);
  const stage = stages[Math.min(...left.map((member) => stages.indexOf(member.stage)))];
  const answers = left.map((member) => (member.stage === stage ? member.answered : member.directory.size));
  options.onStage(stage, answers.reduce((sum, answered) => sum + answered, 0));
}
