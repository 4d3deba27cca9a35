import { lookup } from 'node:dns/promises';
import { DatagramPeer } from '@apisix-ts/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { DatagramSender } from './datagram-sender.ts';

function open(port: number, host = '127.0.0.1'): DatagramSender {
  const sender = new DatagramSender({ host, port, timeoutMs: 20_000 });
  onTestFinished(() => sender.close());
  return sender;
}

async function openPeer(host?: string): Promise<DatagramPeer> {
  const peer = await DatagramPeer.open(host === undefined ? {} : { host });
  onTestFinished(() => peer.close());
  return peer;
}

test.for(['127.0.0.1', '::1'])('each entry is a datagram to %s', async (host) => {
  const peer = await openPeer(host);
  const sender = open(peer.port, host);

  await sender.send(['a\n', 'b\n']);

  expect(String((await peer.take()).bytes)).toBe('a\n');
  expect(String((await peer.take()).bytes)).toBe('b\n');
});

test('a name is looked up', async () => {
  const { address } = await lookup('localhost');
  const peer = await openPeer(address);
  const sender = open(peer.port, 'localhost');

  await sender.send(['a\n']);

  expect(String((await peer.take()).bytes)).toBe('a\n');
});

test('a datagram that is too long is an error, and the next batch goes out', async () => {
  const peer = await openPeer();
  const sender = open(peer.port);

  await expect(sender.send(['x'.repeat(70_000)])).rejects.toThrow('EMSGSIZE');
  await sender.send(['a\n']);

  expect(String((await peer.take()).bytes)).toBe('a\n');
});

test('after close there is a new socket', async () => {
  const peer = await openPeer();
  const sender = open(peer.port);
  await sender.send(['a\n']);
  const first = await peer.take();

  sender.close();
  await sender.send(['b\n']);

  const second = await peer.take();
  expect(String(second.bytes)).toBe('b\n');
  expect(first.address).toBe(second.address);
});
