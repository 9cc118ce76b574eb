// Which folder may import from which. docs/architecture.md says why they are there.

/** Sources that import from each other, and from nothing else but packages. */
export interface Building {
  /** Folders with all of its files, as paths from the clone. */
  readonly folders: readonly string[];
  /** From the ground up. A file imports from its own room and from lower floors; rooms on one floor do not know each other. */
  readonly floors: readonly (readonly string[])[];
}

export const outsideTheModule: Building = {
  folders: ['common', 'bundle', 'proxy-wasm', 'envoy', 'plugin-server', 'scripts', 'cli'],
  floors: [
    ['common'],
    ['bundle', 'proxy-wasm', 'scripts', 'envoy/yaml', 'envoy/demo'],
    ['envoy/render'],
    ['envoy/engine'],
    ['envoy/embedded'],
    ['envoy/check', 'envoy'],
    ['plugin-server'],
    ['cli'],
  ],
};
