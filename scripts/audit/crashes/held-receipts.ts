/**
 * Receipts that shops hold against the journal of the coordinator: what was acknowledged has to be there, whoever was
 * killed. The file of a shop is read before the journal, so that a receipt on its way can only be in the journal alone.
 */
import Database from 'libsql';
import { z } from 'zod';
import { openReceiptFile } from '../../../client/shop/receipt-file.ts';
import { verifyReceipt } from '../../../shared/ledger/receipt.ts';
import { toCestaError } from '../../../shared/protocol/errors.ts';

export interface HeldReceipts {
  /** Receipts that were compared when it was last looked. */
  readonly count: number;
  /** Reads all files and the journal. @returns what is missing or contradicts, a sentence each */
  look(): string[];
}

export interface HeldReceiptsOptions {
  /** Of the receipts, a shop each. */
  readonly files: readonly string[];
  /** The embedded database of the coordinator. */
  readonly database: string;
  readonly publicKey: string;
}

const rowSchema = z.object({ round: z.string(), participant: z.string(), sha256: z.string(), signature: z.string() });

export function watchReceipts({ files, database, publicKey }: HeldReceiptsOptions): HeldReceipts {
  let count = 0;
  return {
    get count() {
      return count;
    },
    look() {
      const held = files.flatMap((file) => openReceiptFile(file).read().receipts);
      const journal = readJournal(database);
      const findings = held.flatMap((signed) => {
        const { round, shop, sha256 } = signed.receipt;
        const row = journal.get(`${round} ${shop}`);
        if (row?.sha256 === sha256 && row.signature === signed.signature) return verified(signed, publicKey);
        return [`receipt of ${shop} for ${round}: expected ${sha256} in the journal, since the shop was told so, got ${row?.sha256 ?? 'none'}`];
      });
      if (held.length < count) findings.push(`receipts: expected shops to hold at least the ${count} that they held, got ${held.length}`);
      count = held.length;
      return findings;
    },
  };
}

function verified(signed: Parameters<typeof verifyReceipt>[0], publicKey: string): string[] {
  try {
    verifyReceipt(signed, signed.receipt, publicKey);
    return [];
  } catch (error) {
    return [toCestaError(error).message];
  }
}

/** A reader of its own beside the coordinator, which may be at work. */
function readJournal(file: string): Map<string, z.infer<typeof rowSchema>> {
  const database = new Database(file, { readonly: true });
  try {
    const rows = z.array(rowSchema).parse(database.prepare('select round, participant, sha256, signature from receipts').all());
    return new Map(rows.map((row) => [`${row.round} ${row.participant}`, row]));
  } finally {
    database.close();
  }
}
