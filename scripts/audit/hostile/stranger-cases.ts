/** What those do who are no members of a round: the silent, the slow, and who is not what it says. */
import { connect } from 'node:net';
import { maxFrameBytes } from '../../../shared/protocol/messages.ts';
import { code, outside, type HostileCase } from './cases.ts';
import { answerMs, dial, enter, shopNamed, trickle, within } from './peer.ts';
import { frameOf, opcodes } from './web-socket-frames.ts';

/** Slow requests are looked for every few seconds only. */
const slowRequestMs = 30_000;

export const slowCases: readonly HostileCase[] = [
  {
    name: 'a silent client', expected: 'protocol.out-of-order', needs: 'nothing',
    act: async ({ url }) => outside(await code(await dial(url))),
  },
  {
    name: 'a handshake at one byte a second', expected: 'protocol.out-of-order', needs: 'nothing',
    async act({ url }) {
      const peer = await dial(url);
      const stop = trickle(peer.socket, frameOf(Buffer.from('{"type":"hello"}')));
      return outside(await code(peer).finally(stop));
    },
  },
  {
    name: 'a request at one byte a second', expected: 'cut off', needs: 'nothing',
    async act({ url }) {
      const socket = connect({ host: url.hostname, port: Number(url.port) }).on('error', () => undefined).resume();
      const ended = new Promise<string>((resolve) => void socket.once('close', () => resolve('cut off')));
      const stop = trickle(socket, Buffer.from(`GET /healthz HTTP/1.1\r\nX: ${'x'.repeat(1_000)}`));
      const answer = await within(slowRequestMs, 'kept', ended).finally(stop);
      socket.destroy();
      return outside(answer);
    },
  },
  {
    name: 'a slow reader of pongs', expected: 'cut off', needs: 'nothing',
    async act({ url, run }) {
      const peer = await dial(url);
      if (!(await enter(peer, shopNamed(`pinging-${run}`)))) return outside('not ready');
      peer.socket.pause();
      void peer.write(Buffer.concat(Array.from({ length: 200_000 }, () => frameOf(Buffer.alloc(125), { opcode: opcodes.ping }))));
      const answer = await within(answerMs, 'kept', peer.closed.then(() => 'cut off'));
      peer.hangUp();
      return outside(answer);
    },
  },
  {
    name: 'a slow reader', expected: 'cut off', needs: 'nothing',
    async act({ url, run }) {
      const peer = await dial(url);
      await enter(peer, shopNamed(`slow-reader-${run}`));
      peer.socket.pause();
      // Each is answered at length, and no answer is read. What the system buffers comes on top of what the coordinator allows.
      const mistakes = Buffer.concat(Array.from({ length: 100 }, () => frameOf(Buffer.from(JSON.stringify({ type: 'leave', ['x'.repeat(500)]: 1 })))));
      for (let sent = 0; peer.isOpen && sent < mostUnread; sent += mistakes.length) await within(answerMs, undefined, peer.write(mistakes));
      const answer = await within(answerMs, 'kept', peer.closed.then(() => 'cut off'));
      peer.hangUp();
      return outside(answer);
    },
  },
];

const mostUnread = 128 << 20;

export const strangerCases: readonly HostileCase[] = [
  {
    name: 'one garbage byte before hello', expected: 'protocol.malformed', needs: 'nothing',
    async act({ url }) {
      const peer = await dial(url);
      void peer.write(frameOf(Buffer.of(0), { opcode: opcodes.binary }));
      return outside(await code(peer));
    },
  },
  {
    name: 'a large frame before the proof', expected: 'protocol.too-large', needs: 'nothing',
    async act({ url }) {
      const peer = await dial(url);
      void peer.write(frameOf(Buffer.alloc(maxFrameBytes >> 1), { opcode: opcodes.text, claimedLength: maxFrameBytes }));
      return outside(await code(peer));
    },
  },
  {
    name: 'two clients with one key', expected: 'node.name-taken', needs: 'nothing',
    async act({ url, run }) {
      const shop = shopNamed(`twin-${run}`);
      const first = await dial(url);
      if (!(await enter(first, shop))) return outside('not ready');
      const answers = await Promise.all([shop, { ...shop, shop: `other-${run}` }].map(async (twin) => {
        const second = await dial(url);
        void enter(second, twin);
        return code(second);
      }));
      first.hangUp();
      return outside(answers[0] === answers[1] ? answers[0] : answers.join(' and '));
    },
  },
];
