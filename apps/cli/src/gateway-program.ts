import { fileURLToPath } from 'node:url';
import { manifestText } from './manifest.ts';

/** A program that serves: `<executable> <args> --home DIR [--config FILE]`. */
export interface GatewayProgram {
  /** Absolute path. */
  readonly executable: string;
  readonly args: readonly string[];
}

/** What it is called among the processes; a program in one file also knows by it what it is to do. */
export const GATEWAY_NAME = 'apisix-gateway';

/** The program of the gateway's package, in the same form as this one: source beside source, built beside built. */
export function findGatewayProgram(): GatewayProgram {
  const manifest = new URL(import.meta.resolve('@apisix-ts/gateway/package.json'));
  if (import.meta.url.endsWith('.ts')) {
    const file = fileURLToPath(new URL('src/main.ts', manifest));
    return { executable: process.execPath, args: ['--conditions=@apisix-ts/source', file] };
  }
  const file = fileURLToPath(new URL(manifestText(manifest, 'bin', GATEWAY_NAME), manifest));
  return { executable: process.execPath, args: [file] };
}
