/**
 * The network of an address, for limits. An IPv6 address counts as its first 64 bits, however it is written: whoever has one
 * has all the others behind them. An IPv4 address counts as itself, and so does what is no address.
 */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(address);
  if (mapped !== null) return mapped[1];
  const groups = groupsOf(address.replace(/%.*$/, ''));
  return groups === null ? address : `${groups.slice(0, 4).map((group) => parseInt(group, 16).toString(16)).join(':')}::/64`;
}

/** All eight groups; null for what is no IPv6 address. */
function groupsOf(address: string): string[] | null {
  const halves = address.split('::').map((half) => (half === '' ? [] : half.split(':')));
  const [before, after = []] = halves;
  // An address in IPv4 notation at the end stands for two groups, whose values no prefix of 64 bits needs.
  const last = halves.length > 1 ? after : before;
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(last.at(-1) ?? '')) last.splice(-1, 1, '0', '0');
  const missing = 8 - before.length - after.length;
  const isWhole = halves.length === 1 ? missing === 0 : halves.length === 2 && missing > 0;
  const groups = [...before, ...Array.from({ length: Math.max(0, missing) }, () => '0'), ...after];
  return isWhole && groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group)) ? groups : null;
}
