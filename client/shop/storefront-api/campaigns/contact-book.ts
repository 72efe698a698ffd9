/**
 * On which channels a shopper wants to be written to, and how often each campaign was sent to them. What nobody said is off,
 * but for the site; what is of a shopper without a consent to be stored is gone from the disk with it.
 */
import * as z from 'zod';
import { principalSchema } from '../../../../shared/commerce/consent-receipt.ts';
import { defaultChannels, type Channel } from '../../../../shared/commerce/preferences.ts';
import { CestaError } from '../../../../shared/protocol/errors.ts';
import type { SealedLog } from '../sealed-log.ts';

export const channelsSchema = z.strictObject({ site: z.boolean(), email: z.boolean(), push: z.boolean(), sms: z.boolean() });
export type ChannelChoice = Readonly<Record<Channel, boolean>>;

const contactSchema = z.strictObject({ principal: principalSchema, channels: channelsSchema, sent: z.record(z.string(), z.number().int()) });
type Contact = Readonly<z.infer<typeof contactSchema>>;

export interface ContactBook {
  channelsOf(principal: string): ChannelChoice;
  timesSent(principal: string, campaign: string): number;
  /** How often each campaign was sent to the shopper. */
  sentTo(principal: string): Readonly<Record<string, number>>;
  /** Durable when it returns. @throws CestaError `storage.failed` */
  choose(principals: readonly string[], channels: ChannelChoice): void;
  noteSent(principals: readonly string[], campaign: string): void;
  /** From memory and from the disk. */
  erase(isGone: (principal: string) => boolean): void;
}

export function openContactBook(log: SealedLog, records: readonly Uint8Array[]): ContactBook {
  const contacts = new Map<string, Contact>();
  for (const record of records) take(parse(record));
  function take(contact: Contact): void {
    contacts.set(contact.principal, contact);
  }
  function keep(changed: readonly Contact[]): void {
    log.append(changed.map(encode));
    changed.forEach(take);
  }
  const of = (principal: string): Contact => contacts.get(principal) ?? { principal, channels: defaultChannels, sent: {} };
  return {
    channelsOf: (principal) => of(principal).channels,
    timesSent: (principal, campaign) => of(principal).sent[campaign] ?? 0,
    sentTo: (principal) => of(principal).sent,
    choose: (principals, channels) => keep(principals.map((principal) => ({ ...of(principal), channels }))),
    noteSent: (principals, campaign) => keep(principals.map((principal) => {
      const contact = of(principal);
      return { ...contact, sent: { ...contact.sent, [campaign]: (contact.sent[campaign] ?? 0) + 1 } };
    })),
    erase(isGone) {
      const gone = new Set([...contacts.keys()].filter(isGone));
      if (gone.size === 0) return;
      // The disk first: should it refuse, the next try finds them still.
      log.rewrite([...contacts.values()].filter(({ principal }) => !gone.has(principal)).map(encode));
      for (const principal of gone) contacts.delete(principal);
    },
  };
}

function encode(contact: Contact): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(contact));
}

function parse(record: Uint8Array): Contact {
  const parsed = contactSchema.safeParse(JSON.parse(new TextDecoder().decode(record)));
  if (!parsed.success) throw new CestaError('storage.failed', 'contacts: expected choices of channels, got other data; the file is of another version', { cause: parsed.error });
  return parsed.data;
}
