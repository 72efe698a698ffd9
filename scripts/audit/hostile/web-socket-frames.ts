/** WebSocket framing by hand (RFC 6455, section 5.2): attackers write what no library would let them write. */

export interface FrameShape {
  readonly opcode?: number;
  readonly final?: boolean;
  /** The three reserved bits, 0..7. */
  readonly reserved?: number;
  /** Clients have to mask; the key of zeros masks nothing and is as good as any. */
  readonly masked?: boolean;
  /** What the header says, whatever follows. */
  readonly claimedLength?: number;
}

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export function frameOf(payload: Uint8Array, { opcode = opcodes.text, final = true, reserved = 0, masked = true, claimedLength = payload.length }: FrameShape = {}): Buffer {
  const lengthBytes = claimedLength < 126 ? 0 : claimedLength < 65_536 ? 2 : 8;
  const frame = Buffer.alloc(2 + lengthBytes + (masked ? 4 : 0) + payload.length);
  frame[0] = (final ? 0x80 : 0) | (reserved << 4) | opcode;
  frame[1] = (masked ? 0x80 : 0) | (lengthBytes === 0 ? claimedLength : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) frame.writeUInt16BE(claimedLength, 2);
  if (lengthBytes === 8) frame.writeBigUInt64BE(BigInt(claimedLength), 2);
  frame.set(payload, frame.length - payload.length);
  return frame;
}

export interface ServerFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** Takes what a server writes, whole frames and parts of them, and hands on the frames. */
export function createFrameReader(onFrame: (frame: ServerFrame) => void): (bytes: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (bytes) => {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    for (let frame = readFrame(rest); frame !== null; frame = readFrame(rest)) {
      rest = rest.subarray(frame.size);
      onFrame(frame);
    }
  };
}

function readFrame(bytes: Buffer): (ServerFrame & { readonly size: number }) | null {
  if (bytes.length < 2) return null;
  const short = bytes[1] & 0x7f;
  const start = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < start) return null;
  const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.length < start + length) return null;
  return { opcode: bytes[0] & 0x0f, payload: bytes.subarray(start, start + length), size: start + length };
}
