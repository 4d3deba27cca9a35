import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import { RECURSION_DESIRED, decode, encode } from 'dns-packet';
import type { DecodedPacket, Question } from 'dns-packet';

/** Where a DNS server listens. */
export interface DnsEndpoint {
  /** An ip literal. */
  readonly address: string;
  readonly port: number;
}

/**
 * Asks one server one question: over UDP, and over TCP where the answer does not fit into a datagram (RFC 1035
 * section 4.2.1). What does not answer this question is passed over.
 * @throws the system's error, or the reason of `signal`; both leave no socket behind.
 */
export async function exchange(
  server: DnsEndpoint,
  question: Question,
  signal: AbortSignal,
): Promise<DecodedPacket> {
  const id = randomInt(0x1_0000);
  const query = encode({ type: 'query', id, flags: RECURSION_DESIRED, questions: [question] });
  const readReply = (bytes: Buffer): DecodedPacket | undefined => read(bytes, id, question);
  const reply = await askByDatagram(server, query, readReply, signal);
  return reply.flag_tc ? askByStream(server, query, readReply, signal) : reply;
}

type ReadReply = (bytes: Buffer) => DecodedPacket | undefined;

function askByDatagram(
  { address, port }: DnsEndpoint,
  query: Buffer,
  readReply: ReadReply,
  signal: AbortSignal,
): Promise<DecodedPacket> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', signal });
    socket.unref();
    socket.on('close', () => reject(signal.reason));
    socket.on('error', (error) => {
      reject(error);
      socket.close();
    });
    socket.on('message', (bytes) => {
      const reply = readReply(bytes);
      if (reply === undefined) return;
      resolve(reply);
      socket.close();
    });
    // Connected, so that only this server is heard, and that a closed port is told at once.
    socket.on('connect', () => socket.send(query));
    socket.connect(port, address);
  });
}

/** Two bytes of length go before each message (RFC 1035 section 4.2.2). */
const LENGTH_BYTES = 2;

function askByStream(
  { address, port }: DnsEndpoint,
  query: Buffer,
  readReply: ReadReply,
  signal: AbortSignal,
): Promise<DecodedPacket> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, signal });
    socket.unref();
    let received: Buffer = Buffer.alloc(0);
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the DNS server closed the connection without an answer')));
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < LENGTH_BYTES) return;
      const end = LENGTH_BYTES + received.readUInt16BE(0);
      if (received.length < end) return;
      const reply = readReply(received.subarray(LENGTH_BYTES, end));
      if (reply !== undefined) resolve(reply);
      socket.destroy();
    });
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt16BE(query.length);
    socket.write(Buffer.concat([length, query]));
  });
}

/** @returns undefined for what is no answer to this question. */
function read(bytes: Buffer, id: number, question: Question): DecodedPacket | undefined {
  try {
    const packet = decode(bytes);
    const [asked] = packet.questions ?? [];
    const isAnswer =
      packet.type === 'response' &&
      packet.id === id &&
      asked?.type === question.type &&
      asked.name.toLowerCase() === question.name.toLowerCase();
    return isAnswer ? packet : undefined;
  } catch {
    // Not a DNS message: whoever sent it, the answer may still come.
    return undefined;
  }
}
