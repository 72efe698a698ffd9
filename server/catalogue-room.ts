/**
 * Where the catalogue of a task comes together. Given by the operator, it is fixed from the start; otherwise it is
 * the union of what the shops of the first round publish, and fixed when that round opens. Bounded in bytes, since
 * anybody may publish.
 */
import type { Catalogue, Product } from '../shared/commerce/catalogue.ts';
import { uniteCatalogues } from '../shared/commerce/catalogue.ts';
import { CestaError } from '../shared/protocol/errors.ts';

export interface CatalogueRoom {
  readonly fixed: Catalogue | null;
  /** Whether this participant should publish its products now. */
  expects(participant: string): boolean;
  /**
   * Takes one page of `bytes` bytes on the wire; `last` ends the list. A page after the catalogue was fixed is ignored.
   * @throws CestaError `protocol.too-large`
   */
  publish(participant: string, page: { readonly products: readonly Product[]; readonly bytes: number; readonly last: boolean }): void;
  forget(participant: string): void;
  /** The union of what these participants have published. @throws CestaError `catalogue.invalid` when that is nothing. */
  unite(participants: readonly string[]): Catalogue;
  fix(catalogue: Catalogue): void;
}

export interface RoomLimits {
  readonly maxBytesPerShop: number;
  readonly maxBytes: number;
}

export const defaultRoomLimits: RoomLimits = { maxBytesPerShop: 64 << 20, maxBytes: 512 << 20 };

interface Publication {
  readonly products: Product[];
  bytes: number;
  complete: boolean;
}

/** @param screen what of published products may be in the catalogue */
export function createCatalogueRoom(given: Catalogue | null, limits: RoomLimits = defaultRoomLimits, screen: (products: readonly Product[]) => readonly Product[] = (products) => products): CatalogueRoom {
  const publications = new Map<string, Publication>();
  let fixed = given;
  let bytesHeld = 0;
  const forget = (participant: string): void => {
    bytesHeld -= publications.get(participant)?.bytes ?? 0;
    publications.delete(participant);
  };
  return {
    get fixed() {
      return fixed;
    },
    expects: (participant) => fixed === null && publications.get(participant)?.complete !== true,
    publish(participant, { products, bytes, last }) {
      if (fixed !== null) return;
      const publication = publications.get(participant) ?? { products: [], bytes: 0, complete: false };
      publications.set(participant, publication);
      if (publication.bytes + bytes > limits.maxBytesPerShop || bytesHeld + bytes > limits.maxBytes) {
        forget(participant);
        throw new CestaError('protocol.too-large', `products: expected at most ${limits.maxBytesPerShop} bytes a shop and ${limits.maxBytes} in all, got more`);
      }
      publication.bytes += bytes;
      bytesHeld += bytes;
      publication.products.push(...products);
      publication.complete = last;
    },
    forget,
    unite(participants) {
      // By name, so that the same shops always make the same catalogue, whoever connected first.
      const united = uniteCatalogues([...participants].sort().map((participant) => screen(publications.get(participant)?.products ?? [])));
      if (united.products.length === 0) throw new CestaError('catalogue.invalid', 'products: expected at least one from the shops of the first round, got none');
      return united;
    },
    fix(catalogue) {
      fixed = catalogue;
      publications.clear();
      bytesHeld = 0;
    },
  };
}
