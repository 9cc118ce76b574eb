/** Ends the process, with what to do, where this Node is too old to even load what follows. */
export function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(`sluice needs Node 20.19 or newer, this is ${process.versions.node}`);
  process.exit(3);
}
