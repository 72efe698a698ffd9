/**
 * Whether the coordinator of this container answers; the exit code says so. It asks this machine itself and sends no
 * secret, so that the certificate, which may be for other names, is not checked.
 */
import { request as requestClear } from 'node:http';
import { request as requestTls } from 'node:https';

const { CESTA_PORT: port = '8787', CESTA_TLS_SELF: self, CESTA_TLS_CERT: cert } = process.env;
const isTls = self === 'true' || self === '1' || cert !== undefined;
const options = { host: '127.0.0.1', port, path: '/healthz', timeout: 5_000 };

const outgoing = isTls ? requestTls({ ...options, rejectUnauthorized: false }) : requestClear(options);
outgoing.on('response', (response) => {
  process.exitCode = response.statusCode === 200 ? 0 : 1;
  response.resume();
});
outgoing.on('timeout', () => outgoing.destroy(new Error('expected an answer within 5 s, got none')));
outgoing.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
outgoing.end();
