const PREFIX = 'unix:';

/** The path in `unix:/path`, an address of this machine's file system; undefined for any other address. */
export function unixPath(address: string): string | undefined {
  return address.startsWith(`${PREFIX}/`) ? address.slice(PREFIX.length) : undefined;
}
