import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createLogger } from '../../scripts/cli/output.ts';

describe('the log', () => {
  it('has no secrets, whatever object they are in', () => {
    let written = '';
    const sink = new Writable({ write: (chunk: Buffer, _encoding, done) => ((written += chunk.toString()), done()) });
    const logger = createLogger('test', 'info', sink);
    logger.info({ token: 's3cret', request: { headers: { authorization: 's3cret' } }, config: { database: { password: 's3cret' } }, shop: 'corner' }, 'all at once');
    expect(written).not.toContain('s3cret');
    expect(JSON.parse(written)).toMatchObject({ token: '***', shop: 'corner', msg: 'all at once' });
  });

  it('is as long as its level says', () => {
    let written = '';
    const logger = createLogger('test', 'warn', { write: (line) => void (written += line) });
    logger.info('not this');
    logger.warn('but this');
    expect(written).not.toContain('not this');
    expect(written).toContain('but this');
  });
});
