/**
 * The embedded data set: real orders of a UK gift shop, 2010-12-01 to 2011-12-09. Cleaned by the one-off
 * builder in `scripts/datasets`; what it dropped, and why, is in the report. Times are the shop's local
 * times, to the minute, read as UTC. Source and licence: `onlineRetailAttribution`.
 */
import { decodeDataset } from './compact-dataset.ts';
import type { Dataset } from './dataset.ts';

/** What a copy of the data, or of anything that contains it, has to say. */
export const onlineRetailAttribution =
  'Online Retail, Chen, D. (2015), UCI Machine Learning Repository, https://doi.org/10.24432/C5BW33, licensed CC BY 4.0 '
  + '(https://creativecommons.org/licenses/by/4.0/); changed: cleaned, reduced to items per invoice, and re-encoded. '
  + 'Described in Chen, D., Sain, S. L., Guo, K. (2012), Data mining for the online retail industry, Journal of Database '
  + 'Marketing and Customer Strategy Management 19, 197-208, https://doi.org/10.1057/dbm.2012.17.';

/**
 * @param bytes The content of `online-retail.bin.gz`, decompressed.
 * @throws CestaError `data.unreadable` for bytes that are damaged, cut short or of another format.
 * @example
 * const dataset = decodeOnlineRetail(gunzipSync(readFileSync('shared/datasets/online-retail.bin.gz')));
 * dataset.shoppers.length; // 4335
 */
export function decodeOnlineRetail(bytes: Uint8Array): Dataset {
  return decodeDataset(bytes);
}
