/** The plugin server as other parts of Sluice use it. */
export { type Artifact, loadArtifact } from './artifact.ts';
export { type Listing, listing } from './metadata.ts';
export { type ErrorCode, PluginServerError } from './errors.ts';
export { type Live, openLive } from './live/live.ts';
export { type Log } from './log.ts';
export { PeerSync } from './peers/peer-sync.ts';
export { contentDigest } from './publish/digest-header.ts';
export { type Publishing } from './publish/routes.ts';
export { Tokens } from './publish/tokens.ts';
export { type PluginServerOptions, createPluginServer } from './server.ts';
export { type RunningPluginServer, startPluginServer } from './start.ts';
export { ArtifactStore } from './store/artifact-store.ts';
export { openStore } from './store/open.ts';
export { readRegularFile } from './store/files.ts';
