/** What a shop node keeps about campaigns: the file it was given, choices of channels and reports, sealed in the state folder. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { campaignFileSchema, isFor, subjectsOf, type Campaign, type CampaignFile, type OfferProfile } from '../../../../shared/commerce/campaigns.ts';
import { experimentReport, type ExperimentReport } from '../../../../shared/commerce/experiment-report.ts';
import { channels } from '../../../../shared/commerce/preferences.ts';
import { CestaError } from '../../../../shared/protocol/errors.ts';
import type { ConsentBook } from '../consent-book.ts';
import type { EventStore } from '../event-store.ts';
import { openSealedLog } from '../sealed-log.ts';
import { storeKeys } from '../store-files.ts';
import { openContactBook, type ChannelChoice, type ContactBook } from './contact-book.ts';
import { openMeasurementBook, type MeasurementBook } from './measurement-book.ts';

const contactsFileName = 'contacts.sealed';
const measurementsFileName = 'measurements.sealed';

export interface Recipient {
  /** One of theirs: a device each. */
  readonly principal: string;
  /** The shop's own name for the shopper, which its mailer knows; null where its backend never said it. */
  readonly shopper_id: string | null;
}

export interface CampaignRoom {
  readonly file: CampaignFile;
  readonly contacts: ContactBook;
  readonly measurements: MeasurementBook;
  /**
   * Shoppers with a consent to be stored, who are in the audience and whose channel is on: on all of their devices, where there
   * are several under the shop's own name. @throws CestaError `measure.unknown`, `usage.invalid` for a campaign of the site */
  recipients(campaign: string): Recipient[];
  /** Counts towards the cap of each, on all of their devices. */
  send(campaign: string): Recipient[];
  /** By principal, one device; by the shop's own name, all of them. @throws CestaError `consent.needed` where none may be stored */
  choose(shopper: string, channels: ChannelChoice): void;
  /** @throws CestaError `measure.unknown`, `measure.too-few` */
  report(subject: string): ExperimentReport;
}

export interface CampaignRoomParts {
  readonly folder: string;
  readonly file: CampaignFile;
  readonly consents: Pick<ConsentBook, 'degreeOf' | 'find' | 'principals'>;
  readonly events: Pick<EventStore, 'eventsOf'>;
  readonly categoryOf: (itemId: string) => string | undefined;
  /** Takes what closes a file that was opened. */
  readonly onOpened: (end: () => void) => void;
  /** Unix time in milliseconds. */
  readonly dateMs: () => number;
}

/** Below it a shop keeps nothing of a shopper. */
const storingDegree = 2;

/** @throws CestaError `storage.failed`, `config.invalid` for measured campaigns that have reports under other terms */
export function openCampaignRoom({ folder, file, consents, events, categoryOf, onOpened, dateMs }: CampaignRoomParts): CampaignRoom {
  const keyOf = storeKeys(folder, [contactsFileName, measurementsFileName]);
  const subjects = subjectsOf(file);
  const [contactLog, measurementLog] = ([contactsFileName, measurementsFileName] as const).map((name) => {
    const opened = openSealedLog(join(folder, name), keyOf(name));
    onOpened(() => opened.log.close());
    return opened;
  });
  const contacts = openContactBook(contactLog.log, contactLog.records);
  const measurements = openMeasurementBook(measurementLog.log, measurementLog.records, { subjects, dateMs });
  contacts.erase((principal) => consents.degreeOf(principal) < storingDegree);
  const mayBeStored = (principal: string): boolean => consents.degreeOf(principal) >= storingDegree;

  /** Principals that may be stored, by whose they are: the shop's own name, or each by itself. */
  function people(): readonly (readonly string[])[] {
    const known = new Map<string, string[]>();
    for (const principal of [...consents.principals].filter(mayBeStored)) {
      const shopperId = nameOf(principal);
      const key = shopperId === null ? `principal ${principal}` : `name ${shopperId}`;
      known.set(key, [...(known.get(key) ?? []), principal]);
    }
    return [...known.values()];
  }
  const nameOf = (principal: string): string | null => consents.find(principal)?.shopperId ?? null;

  function profileOf(principals: readonly string[]): OfferProfile {
    const choices = principals.map((principal) => contacts.channelsOf(principal));
    return {
      events: principals.flatMap((principal) => events.eventsOf(principal, 'recommend')).sort((first, second) => first.hour - second.hour),
      unwanted: [], categoryOf,
      channels: Object.fromEntries(channels.map((channel) => [channel, choices.every((choice) => choice[channel])])) as ChannelChoice,
      timesShown: (campaign) => Math.max(...principals.map((principal) => contacts.timesSent(principal, campaign))),
    };
  }

  function audienceOf(id: string): readonly (readonly string[])[] {
    const campaign = campaignOf(file, id);
    if (campaign.channel === 'site') throw new CestaError('usage.invalid', `campaign: expected one that is sent, got ${id}, which devices pick for themselves`);
    return people().filter((principals) => isFor(campaign, profileOf(principals), dateMs()));
  }
  const described = (audience: readonly (readonly string[])[]): Recipient[] => audience.map(([principal]) => ({ principal, shopper_id: nameOf(principal) }));

  return {
    file, contacts, measurements,
    recipients: (id) => described(audienceOf(id)),
    send(id) {
      const audience = audienceOf(id);
      contacts.noteSent(audience.flat(), id);
      return described(audience);
    },
    choose(shopper, choice) {
      const whose = [...consents.principals].filter((principal) => (principal === shopper || nameOf(principal) === shopper) && mayBeStored(principal));
      if (whose.length === 0) throw new CestaError('consent.needed', 'channels: expected a shopper who agreed to be stored, at degree 2 or more');
      contacts.choose(whose, choice);
    },
    report(id) {
      const subject = subjects.get(id);
      if (subject === undefined) throw new CestaError('measure.unknown', `id: expected an experiment or a measured campaign, got ${JSON.stringify(id.slice(0, 80))}`);
      return experimentReport(subject, measurements.counts(id));
    },
  };
}

function campaignOf({ campaigns }: CampaignFile, id: string): Campaign {
  const campaign = campaigns.find((known) => known.id === id);
  if (campaign === undefined) throw new CestaError('measure.unknown', `campaign: expected one of the file, got ${JSON.stringify(id.slice(0, 80))}`);
  return campaign;
}

/** @throws CestaError `config.invalid` */
export function parseCampaigns(value: unknown, what = 'campaigns'): CampaignFile {
  const parsed = campaignFileSchema.safeParse(value);
  if (!parsed.success) throw new CestaError('config.invalid', `${what}: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  return parsed.data;
}

/** The file of `--campaigns`. @throws CestaError `data.not-found`, `config.invalid` */
export function readCampaigns(path: string): CampaignFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CestaError('data.not-found', `--campaigns: expected a file that can be read, got ${path}`, { cause });
  }
  try {
    return parseCampaigns(JSON.parse(text), path);
  } catch (cause) {
    throw cause instanceof CestaError ? cause : new CestaError('config.invalid', `${path}: expected JSON, got other text`, { cause });
  }
}
