/** An IPv4 peer of an IPv6 listener, `::ffff:192.0.2.1`, as IPv4. */
export function unmapped(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
