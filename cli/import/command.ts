import {
  type Artifact,
  ArtifactStore,
  PluginServerError,
  Trust,
  loadArtifact,
  openStore,
} from '../../plugin-server/index.ts';
import { type TrustedKey, signerOf } from '../../common/signature.ts';
import { command, type Context, type Values } from '../command.ts';
import { CommandError, type Io, exitCode } from '../io.ts';
import { firstPause, put } from '../publish/put.ts';
import { parseOrigin, tokenOf } from '../remote.ts';
import { tokenVariable } from '../secret.ts';
import { readTrustedKeys, trustedKeyFiles, trustedKeysVariable } from '../trusted-keys.ts';
import { type FoundModule, SourceError, type Vouch, modulesIn, signatureBeside } from './sources.ts';

const usage = `usage: sluice import SOURCE… (--into DIR | --to URL) [options]

Takes modules out of what was carried in, checks every digest, and puts them into the data directory of a plugin server,
or publishes them to one that runs. Either all of them can be imported, or none is.

A SOURCE is a .wasm file; an OCI layout, as a folder or an archive (skopeo, oras, crane, regctl, podman save); what
docker save wrote; what sluice bundle made; a tar with one module in it; each plain or in gzip; or a folder with Higress' plugins.properties and the
archives that it names.

  --into DIR          the directory that \`sluice serve --data\` serves
  --to URL            of a plugin server that runs, like http://127.0.0.1:8801
  --name NAME         of the plugin, where the source does not say it, or another one is meant
  --version VERSION   the same; for one module only
  --key KEY           a public key, PEM, ECDSA P-256 or Ed25519: each SOURCE must have been signed with it, as SOURCE.sig says;
                      may be repeated, and one has to fit (or files in ${trustedKeysVariable} in the environment)
  --token-file FILE   the token for --to, in a line by itself (or in the environment variable ${tokenVariable})
  --json              print one JSON object per line: imported, or error
`;

interface Options {
  readonly sources: readonly string[];
  readonly into: string | undefined;
  readonly to: string | undefined;
  readonly name: string | undefined;
  readonly version: string | undefined;
  readonly keys: readonly string[];
  readonly tokenFile: string | undefined;
}

interface Imported {
  readonly event: 'imported';
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  readonly size: number;
  readonly from: string;
  /** False where these bytes were there already. */
  readonly created: boolean;
}

const flags = {
  into: { type: 'string' },
  to: { type: 'string' },
  name: { type: 'string' },
  version: { type: 'string' },
  key: { type: 'string', multiple: true, default: [] as string[] },
  'token-file': { type: 'string' },
} as const;

/**
 * `sluice import`. Exit codes: 0 imported (or there before, with the same bytes), 1 a source that cannot be imported,
 * 2 wrong use, 3 no directory, no room in it, no server, no right to publish.
 */
export const importModules = command({
  name: 'import',
  usage,
  flags,
  takesArguments: true,
  read,
  print: (io) => (imported: Imported) => {
    const { name, version, sha256, size, from, created } = imported;
    io.out(`${name}/${version}  ${size} bytes  sha256 ${sha256}${created ? '' : '  (was there)'}\n    from ${from}\n`);
  },
  run,
  // From 500 on it is the directory, its volume or the token, and no fault of a source.
  isFound: (error) => error instanceof SourceError || (error instanceof PluginServerError && error.status < 500),
});

function read(values: Values<typeof flags>, sources: readonly string[]): Options {
  const { into, to, name, version, key: keys, 'token-file': tokenFile } = values;
  if (sources.length === 0) throw new Error('import takes what is to be imported');
  if ((into === undefined) === (to === undefined)) throw new Error('import takes either --into DIR or --to URL');
  return { sources, into, to: to === undefined ? undefined : parseOrigin('--to', to), name, version, keys, tokenFile };
}

async function run(options: Options, { io, emit, progress }: Context<Imported>): Promise<number> {
  const keys = await readTrustedKeys(trustedKeyFiles(options.keys, io.env));
  const vouch = keys.length === 0 ? undefined : signedWith(keys);
  const found: FoundModule[] = [];
  for (const source of options.sources) {
    progress(`reading ${source}`);
    found.push(...(await modulesIn(source, vouch)));
  }
  if (found.length > 1 && (options.name !== undefined || options.version !== undefined)) {
    throw new CommandError(`--name and --version are for one module; ${found.length} were found`, exitCode.usage);
  }
  const artifacts = eachOnce(found.map((module) => ({ ...module, artifact: artifactOf(module, options) })));
  const target = options.into === undefined ? await remote(options, io, progress) : await directory(options.into, keys);
  try {
    for (const { artifact, from, signature } of artifacts) {
      const created = await target.take(artifact, signature);
      const { name, version, sha256, bytes } = artifact;
      emit({ event: 'imported', name, version, sha256, size: bytes.length, from, created });
    }
  } finally {
    target.close();
  }
  return exitCode.ok;
}

/** @throws SourceError, when it is used, for what none of the keys signed */
function signedWith(keys: readonly TrustedKey[]): Vouch {
  const names = keys.map(({ name }) => name).join(', ');
  return (file, bytes) => {
    const signature = signatureBeside(file);
    if (signature === undefined)
      throw new SourceError(`${file}: it has to be signed with ${names}, and there is no ${file}.sig`);
    if (signerOf(bytes, signature, keys) === undefined) {
      throw new SourceError(
        `${file}: it was not signed with ${names}: ${file}.sig is of something else, or by somebody else`,
      );
    }
  };
}

/** @throws SourceError that says what is missing, PluginServerError for a name, version or module that cannot be served */
function artifactOf({ from, bytes, naming }: FoundModule, options: Options): Artifact {
  const { name = naming.name, version = naming.version } = options;
  if (name === undefined) throw new SourceError(`${from}: it does not say what the plugin is called; use --name`);
  if (version === undefined) throw new SourceError(`${from}: it does not say which version it is; use --version`);
  try {
    return loadArtifact(name, version, bytes);
  } catch (error) {
    throw new SourceError(`${from}: ${(error as Error).message}`);
  }
}

interface Sourced {
  readonly from: string;
  readonly artifact: Artifact;
  readonly signature?: Buffer;
}

/** An image for several platforms has one module for all of them. @throws SourceError for two that are not the same */
function eachOnce(all: readonly Sourced[]): Sourced[] {
  const store = new ArtifactStore([]);
  return all.filter(({ artifact, from }) => {
    try {
      return store.add(artifact) === 'created';
    } catch (error) {
      throw new SourceError(`${from}: ${(error as Error).message}`);
    }
  });
}

/** Where modules go. */
interface Target {
  /** Whether it was not there. */
  readonly take: (artifact: Artifact, signature: Buffer | undefined) => Promise<boolean>;
  readonly close: () => void;
}

/** @param keys a signature that lies there and was made by none of them makes way for one that was */
async function directory(path: string, keys: readonly TrustedKey[]): Promise<Target> {
  const quiet = (): void => undefined;
  const log = { info: quiet, warn: quiet, error: quiet };
  const { store, isWritable, close } = await openStore(path, { log, policy: new Trust(() => keys) });
  if (!isWritable) {
    close();
    throw new CommandError(
      `--into: ${path} cannot be written to: name a directory that this user may write to, or publish with --to URL`,
    );
  }
  return { take: async (artifact, signature) => (await store.publish(artifact, signature)) === 'created', close };
}

async function remote({ to = '', tokenFile }: Options, io: Io, progress: (line: string) => void): Promise<Target> {
  const token = await tokenOf(tokenFile, io);
  if (token === undefined) {
    throw new CommandError(`no token: use --token-file FILE, or ${tokenVariable}`, exitCode.usage);
  }
  return {
    take: async ({ name, version, bytes }, signature) => {
      const url = `${to}/plugins/${name}/${version}/plugin.wasm`;
      return (await put(url, bytes, token, progress, firstPause, signature)).status === 201;
    },
    close: () => undefined,
  };
}
