/** A module does what no host has to carry on from: a bug of the module, and fatal here. */
export class HostAssertion extends Error {
  override readonly name = 'HostAssertion';
}

/** @param what what the module does, or is */
export function notAccepted(what: string): HostAssertion {
  return new HostAssertion(`outside what Envoy accepts: ${what}`);
}
