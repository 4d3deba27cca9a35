import { unixPath } from '@apisix-ts/core';

/** `192.0.2.1:80`, `[2001:db8::1]:80`, `unix:/path`. */
export function formatEndpoint(address: string, port: number): string {
  if (unixPath(address) !== undefined) return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** What Node connects to. */
export type Target = { readonly path: string } | { readonly host: string; readonly port: number };

/** @param address an ip literal, or `unix:/path`, which has no port. */
export function toTarget(address: string, port: number): Target {
  const path = unixPath(address);
  return path === undefined ? { host: address, port } : { path };
}
