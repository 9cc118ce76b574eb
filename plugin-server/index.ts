/** The plugin server as other parts of Sluice use it. */
export { type Artifact, loadArtifact } from './artifact.ts';
export { loadDirectory } from './directory.ts';
export { type Listing, listing } from './metadata.ts';
export { type ErrorCode, PluginServerError } from './errors.ts';
export { type PluginServerOptions, createPluginServer } from './server.ts';
export { type RunningPluginServer, startPluginServer } from './start.ts';
