/**
 * The receipts a shop holds: one JSON line each, appended and synced to disk. They were verified before they came here;
 * whoever is shown one checks it again, with the key of the coordinator.
 */
import { existsSync, readFileSync } from 'node:fs';
import { signedReceiptSchema, type SignedReceipt } from '../../shared/ledger/receipt.ts';
import { canonicalJson } from '../../shared/protocol/canonical-json.ts';
import { appendLine, storageErrors } from './spend-ledger.ts';

export interface ReceiptFile {
  /** Oldest first, and how many lines could not be read. @throws CestaError `storage.failed` */
  read(): { readonly receipts: readonly SignedReceipt[]; readonly unreadable: number };
  /** Returns when the receipt is safe on disk. @throws CestaError `storage.failed` */
  append(receipt: SignedReceipt): void;
}

export function openReceiptFile(path: string): ReceiptFile {
  return {
    read: () => storageErrors(path, () => {
      const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
      const receipts = lines.flatMap((line) => parseLine(line) ?? []);
      return { receipts, unreadable: lines.length - receipts.length };
    }),
    append: (receipt) => storageErrors(path, () => appendLine(path, canonicalJson(receipt))),
  };
}

function parseLine(line: string): SignedReceipt | null {
  try {
    return signedReceiptSchema.parse(JSON.parse(line));
  } catch {
    return null;
  }
}
