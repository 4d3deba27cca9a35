import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@apisix-ts/testkit';
import { runOrFail, startProcess } from './process.ts';

/** A real Mosquitto on loopback that takes anybody and keeps nothing. */
export interface MqttBroker {
  /** `127.0.0.1:<port>`. */
  readonly server: string;
  /** Idempotent. */
  close(): Promise<void>;
}

/** Whoever subscribes to the topic `broker` is told the name. */
export async function startMqttBroker(name: string): Promise<MqttBroker> {
  const folder = await mkdtemp(join(tmpdir(), 'mqtt-'));
  const port = await freePort();
  const config = join(folder, 'mosquitto.conf');
  await writeFile(config, `listener ${port} 127.0.0.1\nallow_anonymous true\n`);
  const server = await startProcess('mosquitto', ['-c', config]);
  const close = async (): Promise<void> => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await server.waitForOutput(/running/);
    await runOrFail('mosquitto_pub', ['-p', String(port), '-t', 'broker', '-r', '-m', name]);
  } catch (error) {
    await close();
    throw error;
  }
  return { server: `127.0.0.1:${port}`, close };
}
