/** What the receipt in test/fixtures/consent was made of. */
import type { ConsentChoice } from '../../client/shop/storefront-api/consent-record.ts';

/** The secret is 32 times 7: good for this file and for nothing else. */
export const golden = {
  secret: new Uint8Array(32).fill(7),
  about: {
    controller: { name: 'Sklep za Rogiem', contact: 'iod@sklep.example', url: 'https://sklep.example' },
    notices: [{ version: '2026-03', url: 'https://sklep.example/prywatnosc', sha256: '5a'.repeat(32) }],
    processors: [{ name: 'Hosting Ltd', purpose: 'runs the server', location: 'Poland' }],
    updated: '2026-03-01',
  },
};

export const choice: ConsentChoice = {
  recordId: '0123456789abcdef0123456789abcdef',
  principal: 'fedcba9876543210fedcba9876543210',
  degree: 3,
  notice: '2026-03',
  gpc: true,
  time: '2026-03-02T10:20:30.000Z',
  retentionDays: 90,
};
