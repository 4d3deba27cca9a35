import { fileURLToPath } from 'node:url';
import { manifestText } from './manifest.ts';

/** A Node program that serves: `node <flags> <file> --home DIR [--config FILE]`. */
export interface GatewayProgram {
  /** Absolute path. */
  readonly file: string;
  /** For Node itself. */
  readonly flags: readonly string[];
}

/** The program of the gateway's package, in the same form as this one: source beside source, built beside built. */
export function findGatewayProgram(): GatewayProgram {
  const manifest = new URL(import.meta.resolve('@apisix-ts/gateway/package.json'));
  if (import.meta.url.endsWith('.ts')) {
    return {
      file: fileURLToPath(new URL('src/main.ts', manifest)),
      flags: ['--conditions=@apisix-ts/source'],
    };
  }
  return {
    file: fileURLToPath(new URL(manifestText(manifest, 'bin', 'apisix-gateway'), manifest)),
    flags: [],
  };
}
