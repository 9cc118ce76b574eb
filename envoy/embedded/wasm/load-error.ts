/** A module that Envoy would not run; the message is Envoy's own. */
export class LoadError extends Error {
  override readonly name = 'LoadError';
}
