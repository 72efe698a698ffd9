/**
 * What has to be said of a breach, and by when: the deadline, the report for the authority (Art. 33 GDPR) and the notice for
 * customers (Art. 34). It fills in what the records tell; what happened is for a person to say.
 */
import { jurisdictions, type JurisdictionName } from './jurisdictions.ts';

export interface BreachRound {
  readonly task: string;
  readonly round: string;
  readonly state: string;
  readonly openedAt: string;
  readonly endedAt: string | null;
  /** Spent on each shopper in it; null where nothing is promised or nothing was charged. */
  readonly epsilon: number | null;
  readonly participants: number;
  /** Position of its roster in the public record, and whether the members in the journal are those of it. */
  readonly record: { readonly position: number; readonly isProven: boolean } | null;
}

export interface BreachNode {
  readonly name: string;
  readonly publicKey: string;
  readonly organisation: string | null;
  readonly lastSeen: string | null;
  /** In which of the rounds it took part. */
  readonly rounds: readonly string[];
  readonly isRevoked: boolean;
}

export interface BreachStep {
  readonly step: string;
  readonly at: string;
  readonly outcome: string;
}

export interface BreachReport {
  readonly format: 'cesta/breach/1';
  readonly kind: 'drill' | 'real';
  readonly coordinator: { readonly url: string; readonly publicKey: string };
  readonly controller: { readonly name: string; readonly contact: string | null } | null;
  readonly jurisdiction: JurisdictionName;
  readonly description: string;
  readonly discoveredAt: string;
  /** Looked at from this time on. */
  readonly since: string;
  /** Of the notice to the authority; null where the jurisdiction has no fixed time. */
  readonly deadlineAt: string | null;
  readonly steps: readonly BreachStep[];
  /** Of the public record; no size and no root where it could not be read. */
  readonly record: { readonly size: number | null; readonly root: string | null; readonly findings: readonly string[] };
  readonly tasks: readonly { readonly name: string; readonly before: string; readonly now: string }[];
  /** Null where they could not be read. */
  readonly rounds: readonly BreachRound[] | null;
  readonly nodes: readonly BreachNode[] | null;
  /** What no program can do. */
  readonly left: readonly string[];
  readonly notice: string;
}

export function deadlineOf(jurisdiction: JurisdictionName, discoveredAt: string): string | null {
  const { breachNoticeHours } = jurisdictions[jurisdiction];
  return breachNoticeHours === null ? null : new Date(Date.parse(discoveredAt) + breachNoticeHours * 3_600_000).toISOString();
}

type NoticeFacts = Pick<BreachReport, 'kind' | 'controller' | 'jurisdiction' | 'description' | 'discoveredAt' | 'since' | 'rounds' | 'nodes'>;

/** For shoppers, in plain words; each shop sends it to its own. */
export function customerNotice({ kind, controller, jurisdiction, description, discoveredAt, since, rounds, nodes }: NoticeFacts): string {
  const charged = (rounds ?? []).filter(({ epsilon }) => epsilon !== null);
  const epsilon = charged.reduce((sum, round) => sum + (round.epsilon ?? 0), 0);
  const unprotected = (rounds ?? []).length - charged.length;
  return [
    ...(kind === 'drill' ? ['EXERCISE. This notice was made in a drill and is not to be sent.', ''] : []),
    `Dear customer,`,
    '',
    `on ${day(discoveredAt)} we found out about a security incident in the system that our shop uses to learn recommendations together with other shops.`,
    '',
    `What happened: ${description}`,
    `When: between ${day(since)} and ${day(discoveredAt)}.`,
    'What it concerns: your orders and what you looked at have never left our shop, or your own device. What was sent from there is added up over many people; if you chose to help from your own device, your part of it was sent with noise.',
    ...(charged.length === 0 ? [] : [`In ${charged.length} such sums of that time noise hides each single person: what they can reveal about you is bounded by epsilon ${Number(epsilon.toPrecision(3))} (the smaller, the less; added up over all of them).`]),
    ...(unprotected === 0 ? [] : [`${unprotected} rounds of that time had no such noise, or were never finished.`]),
    `What we did: we stopped all learning, exchanged the access keys, and are examining ${rounds?.length ?? '[number]'} rounds and ${nodes?.length ?? '[number]'} connected systems.`,
    'What you can do: nothing is required. You can set your degree of personalisation to 0 at any time, in the privacy settings of the shop: it erases what is stored on your device.',
    `Who answers your questions: ${controller === null ? '[name of the controller]' : controller.name}, ${controller?.contact ?? '[contact]'}.`,
    `You may also complain to ${jurisdictions[jurisdiction].authority}.`,
  ].join('\n');
}

function day(time: string): string {
  return time.slice(0, 16).replace('T', ' ');
}

/** The report as a page that a person reads, signs off and sends. */
export function breachMarkdown(report: BreachReport): string {
  const { kind, coordinator, controller, jurisdiction, description, discoveredAt, since, deadlineAt, steps, record, tasks, rounds, nodes, left, notice } = report;
  const { title, authority } = jurisdictions[jurisdiction];
  return [
    `# ${kind === 'drill' ? 'Breach drill' : 'Breach report'}`,
    '',
    `| | |`, `|---|---|`,
    ...rows([['discovered', discoveredAt], ['looked at since', since], ['notify', authority], ['by', deadlineAt ?? 'without unreasonable delay'], ['law', title], ['controller', controller === null ? 'not named' : `${controller.name}, ${controller.contact ?? 'no contact'}`], ['coordinator', `${coordinator.url}, key ${coordinator.publicKey}`], ['what happened', description]]),
    '', '## What was done', '', '| when | step | outcome |', '|---|---|---|', ...rows(steps.map(({ at, step, outcome }) => [at, step, outcome])),
    '', '## Tasks', '', '| task | before | now |', '|---|---|---|', ...rows(tasks.map(({ name, before, now }) => [name, before, now])),
    '', '## Public record', '', record.size === null ? `It could not be read: ${record.findings.join('; ')}` : `${record.size} entries, root ${record.root}. ${record.findings.length === 0 ? 'It is consistent, and what is served is what it says.' : `Findings: ${record.findings.join('; ')}`}`,
    '', `## Rounds since ${since}`, '', '| round | state | opened | ended | participants | epsilon | roster in the record |', '|---|---|---|---|---|---|---|',
    ...rows((rounds ?? []).map((round) => [round.round, round.state, round.openedAt, round.endedAt ?? '-', String(round.participants), round.epsilon === null ? '-' : String(Number(round.epsilon.toPrecision(6))), round.record === null ? 'none' : `entry ${round.record.position}${round.record.isProven ? ', proven' : ', OTHER MEMBERS'}`])),
    ...(rounds === null ? ['', 'They could not be read: this list and the next are to be made by hand.'] : []),
    '', '## Nodes concerned', '', '| node | key | organisation | last seen | rounds | revoked |', '|---|---|---|---|---|---|',
    ...rows((nodes ?? []).map((node) => [node.name, node.publicKey, node.organisation ?? '-', node.lastSeen ?? '-', node.rounds.join(', ') || '-', node.isRevoked ? 'yes' : 'no'])),
    '', '## Left to do', '', ...left.map((item) => `- [ ] ${item}`),
    '', '## Notice to customers', '', ...notice.split('\n').map((line) => (line === '' ? '>' : `> ${line}  `)), '',
  ].join('\n');
}

function rows(cells: readonly (readonly string[])[]): string[] {
  return cells.map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`);
}
