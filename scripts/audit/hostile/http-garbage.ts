/** Requests that are none, or are on the edge, on the port that also takes WebSockets. */
import { connect } from 'node:net';
import type { SeededRandom } from '../../../shared/numerics/random.ts';
import { nodesPath } from '../../../shared/identity/requests.ts';
import { roundsPath } from '../../../shared/protocol/messages.ts';
import { pick, randomBytes } from './mutations.ts';
import { upgradeRequest, within } from './peer.ts';

type Garbage = (url: URL, random: SeededRandom) => string | Buffer;

const host = ({ host: name }: URL): string => `Host: ${name}\r\n`;

const garbage: readonly Garbage[] = [
  (_url, random) => randomBytes(random, 1 + random.nextBelow(400)),
  (url, random) => `${pick(random, ['GET', 'get', 'PRI', 'CONNECT', 'TRACE', 'M\0', '\r\n\r\nGET', 'PATCH'])} ${pick(random, ['/v1/model', '*', '//', '/%zz', '/v1/model/../../etc', 'http://[::1', '/\u0000', `/${'a'.repeat(20_000)}`])} HTTP/${pick(random, ['1.1', '1.0', '2.0', '9.9', 'x'])}\r\n${host(url)}\r\n`,
  (url, random) => `GET /v1/model HTTP/1.1\r\n${host(url)}${pick(random, ['X: \u0001\r\n', `X: ${'a'.repeat(17_000)}\r\n`, ' folded: 1\r\n', 'no colon\r\n', `${'X: y\r\n'.repeat(3_000)}`, 'Content-Length: -1\r\n', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'])}\r\n`,
  (url, random) => `POST ${nodesPath} HTTP/1.1\r\n${host(url)}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${pick(random, ['zz\r\n', 'ffffffffffffffff\r\nx', '5\r\nab', '1\r\n{\r\n0\r\n\r\n', '0\r\n\r\n'])}`,
  (url, random) => {
    const body = pick(random, ['{', '[]', 'null', `${'['.repeat(8_000)}`, '{"header":{"v":1e999}}', '"\\ud800"', '\u0000', '{"__proto__":1}', `{"header":${JSON.stringify({ v: 1, type: 'enrol', node: 'a'.repeat(64), seq: 1, ts: Date.now(), bodyHash: 'b'.repeat(64) })},"body":{},"signature":"${'c'.repeat(128)}"}`]);
    return `POST ${pick(random, [nodesPath, '/v1/log/cosignatures', '/v1/model'])} HTTP/1.1\r\n${host(url)}Content-Type: ${pick(random, ['application/json', 'text/plain', 'text/html'])}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`;
  },
  (url, random) => upgradeRequest(url).replace(pick(random, ['websocket', '13', 'AAAAAAAAAAAAAAAAAAAAAA==', roundsPath, 'HTTP/1.1', 'GET']), pick(random, ['', 'x', '8', '%', ' ', 'h2c'])),
  (url) => `GET /healthz HTTP/1.1\r\n${host(url)}\r\n`.repeat(20),
  (url, random) => `GET /v1/rounds?after=${pick(random, ['-1', 'NaN', '1e99', '%00', '[]', '1&after=2', 'a'.repeat(3_000)])} HTTP/1.1\r\n${host(url)}Connection: close\r\n\r\n`,
  (url, random) => `GET /v1/log/tile/${pick(random, ['0/000', '-1/0', '0/x/000', '8/999', '0/000.p/300', '%2e%2e/%2e%2e'])} HTTP/1.1\r\n${host(url)}Connection: close\r\n\r\n`,
];

/** Requests on one visit. */
const requests = 4;
/** Nobody is waited for longer: half a request is answered by a time-out only. */
const patienceMs = 100;

/** Sends a few, each on a connection of its own. @returns their statuses, `none` where the connection just ended or stayed silent */
export function garbageRequests(url: URL, random: SeededRandom): Promise<string[]> {
  const all = Array.from({ length: requests }, () => pick(random, garbage)(url, random));
  return Promise.all(all.map((bytes) => send(url, bytes)));
}

async function send(url: URL, bytes: string | Buffer): Promise<string> {
  const socket = connect({ host: url.hostname, port: Number(url.port) });
  let answer = '';
  socket.setEncoding('latin1').on('data', (text: string) => (answer = answer.length > 12 ? answer : answer + text)).on('error', () => undefined);
  const ended = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
  socket.write(bytes);
  await within(patienceMs, undefined, ended);
  socket.destroy();
  await ended;
  return /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 'none';
}
