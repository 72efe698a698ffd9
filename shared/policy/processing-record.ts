/**
 * The record of processing activities (Art. 30 GDPR), made of what a coordinator is told to do. It knows the configuration
 * and this program; what a shop does beside it, the shop has to add.
 */
import type { PolicyMode } from './policy.ts';
import type { Accountability, Processor } from './accountability.ts';
import { jurisdictions, type JurisdictionName } from './jurisdictions.ts';

/** What of the configuration a record depends on. */
export interface ProcessingFacts extends Pick<Accountability, 'controller' | 'processors'> {
  readonly jurisdiction: JurisdictionName;
  readonly task: string;
  readonly model: string;
  readonly mode: PolicyMode;
  readonly unit: 'shopper' | 'shop';
  readonly epsilon: number;
  readonly delta: number;
  readonly rounds: number;
  readonly minShops: number;
  readonly isGated: boolean;
  /** Everything off this machine is encrypted by this program, by a proxy, or nothing leaves the machine. */
  readonly transport: 'tls' | 'proxy' | 'loopback';
  readonly enrolment: 'required' | 'open';
  readonly database: 'file' | 'postgresql';
  readonly witnesses: readonly string[];
}

export interface ProcessingActivity {
  readonly name: string;
  readonly purpose: string;
  readonly lawfulBasis: string;
  readonly dataSubjects: string;
  readonly data: readonly string[];
  readonly where: string;
  readonly recipients: readonly string[];
  readonly retention: string;
}

export interface ProcessingRecord {
  readonly format: 'cesta/processing-record/1';
  readonly law: string;
  readonly controller: { readonly name: string; readonly contact: string | null } | null;
  readonly task: string;
  readonly activities: readonly ProcessingActivity[];
  readonly processors: readonly Processor[];
  readonly transfers: readonly { readonly processor: string; readonly country: string; readonly ground: string }[];
  readonly security: readonly string[];
  readonly rights: readonly string[];
  /** What a person has to add before the record is complete. */
  readonly open: readonly string[];
}

export function processingRecord(facts: ProcessingFacts): ProcessingRecord {
  const { jurisdiction, controller, processors, task } = facts;
  const { title, freeTransferTo, answerDays, globalPrivacyControl } = jurisdictions[jurisdiction];
  const isFree = ({ country }: Processor): boolean => freeTransferTo === null || freeTransferTo.includes(country);
  return {
    format: 'cesta/processing-record/1',
    law: title,
    controller,
    task,
    activities: [shelves(facts), training(facts), measuring(facts), consents(facts), operating(facts)],
    processors,
    transfers: processors.map((processor) => ({ processor: processor.name, country: processor.country, ground: isFree(processor) ? 'no further ground needed' : 'NEEDED: appropriate safeguards (Art. 46), such as standard contractual clauses' })),
    security: securityOf(facts),
    rights: [
      'access and portability: what a device holds is exported by the shopper; the shop answers for its own orders',
      'rectification: items can be taken out of the history, or named as not wanted',
      'erasure: at degree 0, and with `forget`, at once on the device; a sum that was noised cannot be taken apart again',
      `objection and withdrawal: one step, on the same control as consent; Global Privacy Control ${globalPrivacyControl === 'binding' ? 'is a binding opt-out' : 'holds the degree at 2 until the shopper has seen it and says otherwise'}`,
      `answers within ${answerDays} days`,
    ],
    open: [
      ...(controller === null ? ['name and contact of the controller: --controller, --contact'] : controller.contact === null ? ['contact of the controller: --contact'] : []),
      'the data protection officer, and a representative in the Union, where there has to be one',
      'each shop keeps a record of its own, for its orders',
      ...processors.filter((processor) => !isFree(processor)).map(({ name, country }) => `the safeguards for transfers to ${name} (${country})`),
    ],
  };
}

function shelves({ jurisdiction }: ProcessingFacts): ProcessingActivity {
  return {
    name: 'Personal shelves',
    purpose: 'recommend: put products first that suit a shopper',
    lawfulBasis: jurisdictions[jurisdiction].lawfulBasis,
    dataSubjects: 'shoppers who chose degree 1 or more',
    data: ['event name', 'product', 'quantity', 'hour'],
    where: 'on the shopper\'s device; at the shop, encrypted, where pages are made there',
    recipients: [],
    retention: 'degree 1: until the tab is closed; degrees 2 and 3: until the shopper erases it',
  };
}

function training({ jurisdiction, mode, unit, epsilon, delta, rounds, minShops, isGated, model }: ProcessingFacts): ProcessingActivity {
  const noised = mode === 'none' ? 'sums of contributions, without noise' : `sums of contributions, clipped and with noise: epsilon ${epsilon}, delta ${delta} for one ${unit} over ${rounds} ${rounds === 1 ? 'round' : 'rounds'}${isGated ? ' and their evaluations' : ''}`;
  const seen = { none: 'each shop\'s sum', local: 'each participant\'s noised sum', distributed: 'the masked sum of all participants alone', central: 'sums' }[mode];
  return {
    name: 'Training rounds',
    purpose: `improve: train the model (${model}) that all shops of the federation rank with`,
    lawfulBasis: jurisdictions[jurisdiction].lawfulBasis,
    dataSubjects: 'shoppers who chose degree 3, and those of shops that vouch for such a choice',
    data: [noised, 'names and public keys of participants'],
    where: `contributions are made at the shop or on the device; the coordinator sees ${seen}, of at least ${minShops} participants`,
    recipients: ['the shops of the federation and the public: releases, and the record of rounds'],
    retention: 'histories: as long as the shop keeps its orders (`join --retention-days`); sums: until the round ends; releases and the record: as long as the federation',
  };
}

function measuring({ jurisdiction }: ProcessingFacts): ProcessingActivity {
  return {
    name: 'Measurement',
    purpose: 'measure: whether recommendations and campaigns are of use',
    lawfulBasis: jurisdictions[jurisdiction].lawfulBasis,
    dataSubjects: 'shoppers who chose degree 3',
    data: ['one report a device and experiment, randomised on the device, without any product'],
    where: 'at the shop, which keeps the reports and tells their sums alone',
    recipients: [],
    retention: 'reports, sealed, each with a random number and no name: as long as the shop keeps its state folder',
  };
}

function consents({ jurisdiction }: ProcessingFacts): ProcessingActivity {
  return {
    name: 'Records of consent',
    purpose: 'show what was agreed to, and what was withdrawn',
    lawfulBasis: jurisdiction === 'gdpr' ? 'legal obligation (Art. 6(1)(c) with Art. 7(1))' : 'legal obligation (11 CCR 7101: records of requests, 24 months)',
    dataSubjects: 'shoppers who made a choice',
    data: ['a random number per shop and device', 'degree, purposes and version of the notice', 'times of consent and withdrawal'],
    where: 'on the device, and at the shop that signed the receipt',
    recipients: [],
    retention: 'as long as the processing goes on, and the time in which claims may be made',
  };
}

function operating({ database, enrolment, transport }: ProcessingFacts): ProcessingActivity {
  return {
    name: 'Operation of the coordinator',
    purpose: 'admit participants, limit abuse, keep the record of rounds',
    lawfulBasis: 'legitimate interest in a secure service (Art. 6(1)(f)); contract with the shops',
    dataSubjects: 'operators; shops; shoppers whose browser takes part',
    data: [
      `names and public keys of nodes${enrolment === 'required' ? ', organisations and certificates' : '; a random key of each browser that takes part'}`,
      'names of operators and what they did',
      `network addresses, in memory, to limit requests${transport === 'proxy' ? '; the proxy may log them' : ''}`,
    ],
    where: database === 'file' ? 'in the data folder of the coordinator' : 'in the data folder of the coordinator and in PostgreSQL',
    recipients: ['the public: keys of shops, in the record of rounds'],
    retention: 'as long as the federation; network addresses: minutes',
  };
}

function securityOf({ mode, minShops, transport, enrolment, witnesses }: ProcessingFacts): string[] {
  return [
    { tls: 'TLS for everything', proxy: 'TLS, ended by a proxy', loopback: 'this machine alone is listened on; a request from elsewhere needs TLS' }[transport],
    'both sides prove Ed25519 keys when they connect',
    enrolment === 'required' ? 'only nodes that the operator enrolled' : 'a name belongs to the key that used it first',
    ...(mode === 'distributed' ? ['secure aggregation: pairwise masks that cancel in the sum alone'] : []),
    ...(mode === 'none' ? [] : ['differential privacy: clipping, noise from the operating system\'s generator, a budget that ends the task']),
    `no sum of fewer than ${minShops} participants`,
    'operators log in with a token and a one-time code (RFC 6238); what they do is in a log',
    `a public record that can only grow, of every plan, roster, spend and release${witnesses.length === 0 ? '' : `, signed by ${witnesses.join(', ')}`}`,
    'keys are readable by their owner alone; backups are checked by digest',
  ];
}

/** For whoever reads it. */
export function processingMarkdown({ law, controller, task, activities, processors, transfers, security, rights, open }: ProcessingRecord): string {
  const list = (items: readonly string[]): string[] => (items.length === 0 ? ['- none'] : items.map((item) => `- ${item}`));
  return [
    '# Record of processing activities',
    '',
    `Made of the configuration of task \`${task}\`. ${law}.`,
    '', '## Controller', '', ...list(controller === null ? [] : [controller.name, ...(controller.contact === null ? [] : [controller.contact])]),
    ...activities.flatMap(({ name, purpose, lawfulBasis, dataSubjects, data, where, recipients, retention }) => [
      '', `## ${name}`, '', '| | |', '|---|---|',
      ...[['purpose', purpose], ['lawful basis', lawfulBasis], ['data subjects', dataSubjects], ['data', data.join('; ')], ['where', where], ['recipients', recipients.join('; ') || 'none'], ['retention', retention]].map(([label, text]) => `| ${label} | ${text.replaceAll('|', '\\|')} |`),
    ]),
    '', '## Processors', '', ...list(processors.map(({ name, purpose, country }) => `${name} (${country}): ${purpose}`)),
    '', '## Transfers', '', ...list(transfers.map(({ processor, country, ground }) => `${processor}, ${country}: ${ground}`)),
    '', '## Security of processing', '', ...list(security),
    '', '## Rights', '', ...list(rights),
    '', '## To be added', '', ...list(open), '',
  ].join('\n');
}
