/** As names are compared: in lower case, without one trailing dot. */
export function normalizeServerName(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith('.') ? lower.slice(0, -1) : lower;
}

const labels = /^[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/;

/**
 * Could a normalized name stand in the DNS (RFC 1035 section 2.3.4)? Underscores and hyphens may stand anywhere, as
 * they do in names that are in use. An IPv4 address passes, because its quads are labels; an IPv6 address does not.
 */
export function isDnsName(name: string): boolean {
  return name.length <= 253 && labels.test(name);
}
