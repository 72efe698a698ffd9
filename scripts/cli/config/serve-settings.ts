/** Everything that `cesta serve` can be told, by flag, variable or file: one line each, in the order of its help. */
import { z } from 'zod';
import { largestStaleness, privacyModes } from '../../../shared/federation/plan.ts';
import type { Json } from '../../../shared/protocol/canonical-json.ts';
import { mostGroups, robustRules } from '../../../shared/federation/robust/rule.ts';
import { strategyKinds } from '../../../shared/federation/strategies/strategy.ts';
import { modelKinds, type ModelKind } from '../../../shared/recommender/federated-model.ts';
import { enrolmentModes } from '../../../server/identity/admission.ts';
import { dayEnd, webOrigin, witnessKey } from '../options.ts';
import { logLevels } from '../output.ts';
import type { ConfigOf } from './layers.ts';
import { asIs, choice, flag, json, list, number, optional, parsed, text, type Setting } from './setting.ts';

const served = modelKinds.filter((kind): kind is Exclude<ModelKind, 'item-knn'> => kind !== 'item-knn');
const year = 31_622_400;
const aFile = (flags: string, help: string): ReturnType<typeof optional<z.ZodString>> => optional(text(flags, help, ''));
const whole = (flags: string, help: string, min: number, max: number, fallback: number): Setting<z.ZodNumber> => number({ flags, help }, { min, max, isWhole: true }, fallback);
const positive = (flags: string, help: string, fallback: number): Setting<z.ZodNumber> => number({ flags, help }, { above: 0 }, fallback);
const probability = (flags: string, help: string, fallback: number): Setting<z.ZodNumber> => number({ flags, help }, { above: 0, below: 1 }, fallback);
const today = (): string => new Date().toISOString().slice(0, 10);

const task = {
  task: text('--task <name>', 'name of the task', 'main'),
  model: choice('--model <kind>', 'what to train', served, 'neighbours'),
  hyperParameters: optional(json('--hyper-parameters <json>', 'JSON object, instead of the defaults', 'a JSON object', z.record(z.string(), z.json() as z.ZodType<Json>))),
  asOf: parsed({ flags: '--as-of <date>', help: 'the day that "recent" is reckoned back from' }, 'a day such as 2026-03-31', dayEnd, today),
  catalogue: aFile('--catalogue <file>', 'products, CSV or JSONL (default: the union of what shops publish)'),
  rounds: whole('--rounds <n>', 'rounds that share the limit', 1, 10_000, 1),
  everySeconds: optional(whole('--every-seconds <n>', 'rounds open at multiples of this time since the task was made (default: as soon as shops are there)', 1, year, 1)),
  gate: optional(number({ flags: '--gate <share>', help: 'shops score each release after the first before it is served; evaluations take this share of the limit' }, { above: 0, max: 0.5 }, 0.1)),
  gateTolerance: optional(number({ flags: '--gate-tolerance <fraction>', help: 'how far below the served release\'s score a new one may be (default: .05)' }, { min: 0, below: 1 }, 0.05)),
  canary: flag('--canary', 'hold a release back, for an operator to look at, if an item is suddenly far up in the lists of public probes'),
  canaryFactor: optional(number({ flags: '--canary-factor <factor>', help: 'so many times its exposure in what is served (default: 3)' }, { above: 1, max: 1000 }, 3)),
  canaryShare: optional(number({ flags: '--canary-share <fraction>', help: 'and so much more of it; 1 is the first place of every list (default: .1)' }, { above: 0, below: 1 }, 0.1)),
  buffered: optional(whole('--buffered <maxStaleness>', 'modes none and local: slow shops are not cut off; their reports count, with less weight, up to so many releases later', 1, largestStaleness, 1)),
  unit: choice('--unit <unit>', 'whose contribution is clipped and hidden: one shopper\'s, or that of a whole shop', ['shopper', 'shop'], 'shopper'),
  strategy: optional(choice('--strategy <kind>', 'models that train locally: what the mean change becomes (default: it is added)', strategyKinds, 'fedavg')),
  serverRate: optional(positive('--server-rate <number>', 'learning rate of the strategy', 1)),
  strategySettings: optional(json('--strategy-settings <json>', 'its other settings: momentum, beta1, beta2, tau, mu, localSteps, shops', 'a JSON object', z.record(z.string(), z.json() as z.ZodType<Json>))),
  weightedUpTo: optional(whole('--weighted-up-to <n>', 'models that train locally: contributions weigh by their events, up to so many (default: all weigh the same)', 1, 10_000_000, 1)),
  minIntervalSeconds: whole('--min-interval-seconds <n>', 'from the opening of one round to that of the next, at least', 0, year, 0),
};

const privacy = {
  mode: choice('--mode <mode>', 'how the sums are protected', privacyModes, 'distributed'),
  epsilon: positive('--epsilon <number>', 'privacy limit of the whole task', 3),
  delta: probability('--delta <number>', 'privacy slack of the whole task', 1e-5),
  clipNorm: optional(positive('--clip-norm <number>', 'L2 norm of one contribution (default: what the model guarantees of a shopper\'s)', 1)),
  sampling: optional(probability('--sampling <rate>', 'every shop takes each shopper with this probability, in secret (default: all)', 0.5)),
  encoding: optional(choice('--encoding <kind>', 'rotated: for models whose contributions are dense (default: that with unit shop and noise, else sparse)', ['sparse', 'rotated'], 'sparse')),
  adaptiveClip: optional(whole('--adaptive-clip <n>', 'the clip norm follows the median norm; so many shoppers are expected in a sum', 1, 10_000_000, 1)),
  shopsPerShopper: whole('--shops-per-shopper <n>', 'shops one person may be a shopper of: the budget is stated for that person, too', 1, 1000, 2),
  tolerated: optional(whole('--tolerated <n>', 'mode distributed: dropouts that noise is planned for, in each group if there are groups (default: a fifth of its shops)', 0, 1000, 0)),
  colluding: optional(whole('--colluding <n>', 'mode distributed: shops that may collude (default: a tenth of the fewest in a sum, at least 1)', 0, 1000, 0)),
};

const cohort = {
  shops: whole('--shops <n>', 'reports wanted; a round starts as soon as this many shops are ready', 1, 10_000, 20),
  minShops: optional(whole('--min-shops <n>', 'fewest reports a sum may be made of (default: 5 in mode distributed, or 5 for each group; what a robust rule needs; else 2)', 1, 10_000, 1)),
  overSelection: number({ flags: '--over-selection <factor>', help: 'invitations per wanted report' }, { min: 1, max: 10 }, 1.3),
  maxShoppers: whole('--max-shoppers <n>', 'most shoppers of one shop: sizes the ring of the sum', 1, 10_000_000, 5_000),
  robust: optional(choice('--robust <rule>', 'combine reports, or in mode distributed the sums of --groups, so that a few cannot move the release far', robustRules, 'median')),
  byzantine: optional(whole('--byzantine <n>', 'reports, or groups, that may be spoilt, with --robust (default: 1)', 1, 10_000, 1)),
  groups: optional(whole('--groups <n>', 'mode distributed, with --robust median or trimmed-mean: draw the shops of a round into so many groups with a masked sum each', 3, mostGroups, 3)),
  gatherSeconds: positive('--gather-seconds <n>', 'wait for more shops after the first', 30),
  trainingSeconds: positive('--training-seconds <n>', 'deadline for reports', 120),
};

const witnesses = {
  witness: list({ flags: '--witness <name=key>', help: 'take cosignatures of the public record by this witness (repeatable)' }, 'NAME=KEY', witnessKey),
  quorum: whole('--quorum <n>', 'witnesses that must have signed a plan before anybody is invited', 0, 100, 0),
  witnessSeconds: positive('--witness-seconds <n>', 'how long they may take', 30),
};

const network = {
  host: text('--host <address>', 'address to listen on', '127.0.0.1'),
  port: whole('--port <n>', 'port to listen on; 0 picks one', 0, 65_535, 8787),
  enrolment: optional(choice('--enrolment <mode>', 'required: only nodes with a certificate of this coordinator; open: a name belongs to the key that used it first (default: open on this machine, else required)', enrolmentModes, 'required')),
  nodesPerOrganisation: whole('--nodes-per-organisation <n>', 'enrolled nodes of one organisation connected at a time', 1, 10_000, 5),
  tlsCert: aFile('--tls-cert <file>', 'certificate chain (PEM): serve https and wss'),
  tlsKey: aFile('--tls-key <file>', 'its key (PEM)'),
  tlsClientCa: aFile('--tls-client-ca <file>', 'admit only peers with a certificate of this authority (PEM)'),
  tlsSelf: flag('--tls-self', 'make a certificate, keep it in the data folder, and serve https and wss with it'),
  tlsName: list({ flags: '--tls-name <name>', help: 'host name or address that it is for, beside this machine\'s own (repeatable)' }, 'a host name or an address', asIs),
  corsOrigin: list({ flags: '--cors-origin <origin>', help: 'origin whose pages may read the public API, or * (repeatable)' }, '* or an origin such as https://shop.example', webOrigin, ['*']),
  behindTlsProxy: flag('--behind-tls-proxy', 'a proxy ends TLS and writes X-Forwarded-For'),
};

const operation = {
  dataDir: text('--data-dir <folder>', 'where rounds, releases and the signing key are kept', '.cesta/coordinator'),
  database: optional({ ...text('--database <address>', 'keep rounds and budget in PostgreSQL instead, postgres://user@host/database (a password: better in PGPASSWORD, which others cannot list)', ''), redact: withoutPassword }),
  drainSeconds: number({ flags: '--drain-seconds <n>', help: 'on SIGTERM, how long the open round may take to finish' }, { min: 0, max: 86_400 }, 30),
  noDashboard: flag('--no-dashboard', 'serve no pages for operators (default: at /dashboard/)'),
  quality: aFile('--quality <file>', 'what was measured of the releases, JSON as GET /v1/quality has it, for the dashboard'),
  logLevel: choice('--log-level <level>', 'what is logged on stderr', logLevels, 'info'),
};

/** By the headings of the help. */
export const serveGroups: Readonly<Record<string, Readonly<Record<string, Setting>>>> = { 'The task:': task, 'Privacy:': privacy, 'The cohort:': cohort, 'Witnesses:': witnesses, 'Who may connect, and over what:': network, 'Running it:': operation };

export const serveSettings = { ...task, ...privacy, ...cohort, ...witnesses, ...network, ...operation };

export type ServeConfig = ConfigOf<typeof serveSettings>;

/** Whatever may be a password: between the name and the host, or in the query. */
function withoutPassword(address: unknown): unknown {
  if (typeof address !== 'string') return address;
  return address.replace(/^([^:]*:\/\/[^:/?#]*):.*@/s, '$1:***@').replaceAll(/([?&]password=)[^&]*/gi, '$1***');
}
