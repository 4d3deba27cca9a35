import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '@apisix-ts/testkit';
import { runCommand } from './process.ts';
import type { CommandResult } from './process.ts';

/** The command as `npm` links it. */
export const apisixCommand: string = join(import.meta.dirname, '..', 'node_modules', '.bin', 'apisix');
const APPLIED_LIMIT_MS = 60_000;

export interface AdminAnswer {
  readonly status: number;
  /** As it came; `body` is what it says as JSON. */
  readonly text: string;
  readonly body: unknown;
}

/** An installation of the gateway in a folder of its own, used through what users have: its commands and its APIs. */
export interface GatewayInstallation {
  readonly home: string;
  /** For the stream listener: what 9100 is in the guides. */
  readonly streamPort: number;
  /** Writes conf/config.yaml: these lines go below `apisix:`, those below `deployment:`. */
  configure(apisix: string, deployment?: string): Promise<void>;
  /** Runs the `apisix` command. */
  apisix(...args: readonly string[]): Promise<CommandResult>;
  /** Runs the `apisix` command, which has to succeed. */
  apisixOk(...args: readonly string[]): Promise<CommandResult>;
  /** Sends a request to the Admin API; `path` begins after `/apisix/admin`. */
  admin(method: string, path: string, body?: unknown): Promise<AdminAnswer>;
  /** Puts a resource and waits until every worker has it in effect. */
  put(path: string, body: unknown): Promise<AdminAnswer>;
  /** What the Control API answers; `path` begins after `/v1`. */
  control(path: string): Promise<unknown>;
  /** Where it shows its metrics. */
  readonly metricsUrl: URL;
  /** The error log so far. */
  errorLog(): Promise<string>;
  /** Stops a gateway that still runs and removes the folder. Idempotent. */
  remove(): Promise<void>;
}

export interface InstallationOptions {
  /** The `apisix` command to use. Default: the one that `npm` links. */
  readonly command?: string;
  /** For that command, beside this process's own environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A new installation on free ports; nothing is started. */
export async function createGatewayInstallation({
  command = apisixCommand,
  env = {},
}: InstallationOptions = {}): Promise<GatewayInstallation> {
  const home = await mkdtemp(join(tmpdir(), 'apisix-'));
  await mkdir(join(home, 'conf'));
  const [streamPort, httpPort, adminPort, controlPort, metricsPort] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ]);

  async function apisix(...args: readonly string[]): Promise<CommandResult> {
    return runCommand(command, [...args, '--home', home], { env });
  }

  async function apisixOk(...args: readonly string[]): Promise<CommandResult> {
    const result = await apisix(...args);
    if (result.status !== 0) {
      throw new Error(
        `apisix ${args.join(' ')} ended with ${result.status}: ${result.stdout}${result.stderr}`,
      );
    }
    return result;
  }

  async function admin(method: string, path: string, body?: unknown): Promise<AdminAnswer> {
    const response = await fetch(`http://127.0.0.1:${adminPort}/apisix/admin${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      text,
      get body(): unknown {
        return JSON.parse(text);
      },
    };
  }

  return {
    home,
    streamPort,
    metricsUrl: new URL(`http://127.0.0.1:${metricsPort}/apisix/prometheus/metrics`),
    apisix,
    apisixOk,
    admin,
    configure: (apisixLines, deploymentLines = '') =>
      writeFile(
        join(home, 'conf', 'config.yaml'),
        `apisix:
  node_listen: [{ ip: 127.0.0.1, port: ${httpPort} }]
  control: { ip: 127.0.0.1, port: ${controlPort} }
${indent(apisixLines)}
deployment:
  admin:
    admin_key_required: false
    admin_listen: { ip: 127.0.0.1, port: ${adminPort} }
${indent(deploymentLines)}
plugin_attr:
  prometheus: { export_addr: { ip: 127.0.0.1, port: ${metricsPort} } }
`,
      ),
    async put(path, body) {
      const answer = await admin('PUT', path, body);
      const id = typeof body === 'object' && body !== null && 'id' in body ? `/${String(body.id)}` : '';
      const stored = await admin('GET', `${path}${id}`);
      await untilApplied(controlPort, revisionOf(stored.body));
      return answer;
    },
    control: (path) => askControl(controlPort, path),
    errorLog: () => readFile(join(home, 'logs', 'error.log'), 'utf8'),
    async remove() {
      // Also when the test failed half-way; when nothing runs there is nothing to stop.
      await apisix('stop');
      await rm(home, { recursive: true, force: true });
    },
  };
}

/**
 * On a connection of its own, as a command asks: one that was kept is answered for a moment longer by the process that it
 * was made to, also when another has taken its place.
 */
async function askControl(port: number, path: string): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}/v1${path}`, { headers: { connection: 'close' } });
  return response.json();
}

function indent(lines: string): string {
  return lines.replaceAll(/^(?=.)/gm, '  ');
}

function revisionOf(stored: unknown): number {
  if (typeof stored === 'object' && stored !== null && 'modifiedIndex' in stored)
    return Number(stored.modifiedIndex);
  throw new Error(`expected a stored resource, found ${JSON.stringify(stored)}`);
}

/** Asks the Control API until the revision is in effect in every worker. */
async function untilApplied(controlPort: number, revision: number): Promise<void> {
  const deadline = Date.now() + APPLIED_LIMIT_MS;
  for (;;) {
    const status = await askControl(controlPort, '/config/status');
    if (typeof status !== 'object' || status === null || !('applied_revision' in status)) {
      throw new Error(`expected a status, found ${JSON.stringify(status)}`);
    }
    if (Number(status.applied_revision) >= revision) return;
    if (Date.now() > deadline) {
      throw new Error(
        `revision ${revision} is not in effect after ${APPLIED_LIMIT_MS} ms: ${JSON.stringify(status)}`,
      );
    }
    await pause(5);
  }
}
