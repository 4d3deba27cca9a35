/** Run in a network namespace of its own: tells what a client of a wildcard listener meets as an address comes and goes. */
import { spawnSync } from 'node:child_process';
import { DatagramPeer, FakeClock } from '@apisix-ts/testkit';
import { listenForDatagrams } from '../datagram/datagram-listener.ts';

const port = 5300;
const late = '192.0.2.7';
const clock = new FakeClock();
const listener = listenForDatagrams(
  {
    host: '0.0.0.0',
    port,
    addresses: { clock, takesRest: true, isTaken: () => false },
  },
  {
    onPort(each) {
      each.handler = {
        onDatagram: (_view, address, client) =>
          void each.send(Buffer.from(each.localAddressFor(address)), address, client),
        onClosed() {},
      };
    },
    onReceiveError(error) {
      throw error;
    },
  },
);
const client = await DatagramPeer.open({ host: '127.0.0.1' });

/** Where the answer came from, and which address the listener was asked by as it thinks. */
async function ask(address: string): Promise<readonly [string, string]> {
  const answer = await client.ask('x', port, address);
  return [answer.address, answer.bytes.toString()];
}

function changeAddress(action: 'add' | 'del'): void {
  const { status, stderr } = spawnSync('ip', ['addr', action, `${late}/32`, 'dev', 'lo']);
  if (status !== 0) throw new Error(String(stderr));
}

const first = await ask('127.0.0.1');
changeAddress('add');
const unseen = await ask(late);
clock.advance(5000);
const seen = await ask(late);
changeAddress('del');
clock.advance(5000);
const last = await ask('127.0.0.1');
listener.close();
await client.close();
console.log(JSON.stringify({ first, unseen, seen, last }));
