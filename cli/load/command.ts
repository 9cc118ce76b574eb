import { readFile, stat } from 'node:fs/promises';
import { sha256Of } from '../../bundle/checksums.ts';
import { type OpenBundle, bundleLimits, openBundle, unsuitable } from '../../bundle/open.ts';
import { unpackBundle } from '../../bundle/unpack.ts';
import { ArchiveError } from '../../common/archive.ts';
import { signatureLimit, signerOf } from '../../common/signature.ts';
import { command, type Context, type Values } from '../command.ts';
import { CommandError, type Io, exitCode } from '../io.ts';
import { progressBar } from '../progress-bar.ts';
import { readTrustedKeys, trustedKeyFiles, trustedKeysVariable } from '../trusted-keys.ts';
import { whyUnreadable } from '../unreadable.ts';
import { whyUnwritable } from '../unwritable.ts';

const usage = `usage: sluice load FILE --into DIR (--sha256 DIGEST | --key KEY) [options]
       node sluice-load.mjs FILE --into DIR …

Unpacks what \`sluice bundle\` made, with nothing but Node, and refuses it where one byte is not as it was. DIR comes into
place whole or not at all. Then \`DIR/sluice serve\` and \`DIR/sluice start\` work, without npm and without a network.

  --into DIR          the folder to make: one that is not there yet, or is empty
  --sha256 DIGEST     of FILE, from somebody you trust; as sha256sum prints it
  --key KEY           a public key, PEM, ECDSA P-256 or Ed25519: FILE must have been signed with it; may be repeated, and one
                      of them has to fit (or files in ${trustedKeysVariable} in the environment, with : between them)
  --signature FILE    the detached signature (default: FILE.sig)
  --json              print one JSON object per line: warning, loaded, or error
`;

interface Options {
  readonly file: string;
  readonly into: string;
  readonly sha256: string | undefined;
  readonly keys: readonly string[];
  readonly signature: string | undefined;
}

type LoadEvent =
  | { readonly event: 'warning'; readonly message: string }
  | {
      readonly event: 'loaded';
      readonly into: string;
      readonly version: string;
      readonly files: number;
      /** The digest of the bundle. */
      readonly sha256: string;
      readonly moduleSha256: string;
      readonly envoys: readonly string[];
      /** The name of the key; null where no signature was asked for. */
      readonly signedBy: string | null;
      /** False where this bundle was there already, byte for byte. */
      readonly created: boolean;
    };

const flags = {
  into: { type: 'string' },
  sha256: { type: 'string' },
  key: { type: 'string', multiple: true, default: [] as string[] },
  signature: { type: 'string' },
} as const;

/**
 * `sluice load`. Exit codes: 0 loaded (or there before), 1 a bundle that is refused, 2 wrong use, 3 a file, key or folder
 * that cannot be used.
 */
export const load = command({
  name: 'load',
  usage,
  flags,
  takesArguments: true,
  read,
  print,
  run,
  isFound: (error) => error instanceof ArchiveError,
});

function read(values: Values<typeof flags>, [file, ...more]: readonly string[]): Options {
  const { into, sha256, key: keys, signature } = values;
  if (file === undefined || more.length > 0) throw new Error('load takes one file');
  if (into === undefined) throw new Error('--into is missing');
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/i.test(sha256)) {
    throw new Error(`--sha256 takes 64 hexadecimal digits, not ${JSON.stringify(sha256)}`);
  }
  return { file, into, sha256: sha256?.toLowerCase(), keys, signature };
}

function print(io: Io): (event: LoadEvent) => void {
  return (event) => {
    if (event.event === 'warning') {
      io.err(`sluice load: ${event.message}\n`);
      return;
    }
    const { into, version, files, sha256, moduleSha256, envoys, created } = event;
    const what = [`Sluice ${version}`, ...envoys.map((envoy) => `Envoy ${envoy}`)].join(', ');
    io.out(
      `${into}  ${what}, ${files} files${created ? '' : '  (was there)'}\n` +
        `  bundle  sha256 ${sha256}\n  module  sha256 ${moduleSha256}\n  try     ${into}/sluice serve\n`,
    );
  };
}

async function run(options: Options, { io, emit }: Context<LoadEvent>): Promise<number> {
  const bytes = await bundleBytes(options.file);
  const sha256 = sha256Of(bytes);
  if (options.sha256 !== undefined && options.sha256 !== sha256) {
    throw new ArchiveError(
      `${options.file} has the SHA-256 ${sha256}, and not ${options.sha256}: it is not the file that was meant`,
    );
  }
  const signedBy = await signer(options, bytes, io);
  if (options.sha256 === undefined && signedBy === null) {
    emit({
      event: 'warning',
      message:
        `nobody has vouched for ${options.file}: that its files agree with its own checksums is all that is checked. ` +
        `Ask who made it for its digest or key, and use --sha256 or --key`,
    });
  }
  const bundle = await refused(options.file, () => openBundle(bytes));
  const { manifest, files } = bundle;
  const otherMachine = unsuitable(manifest, process.platform, process.arch);
  if (otherMachine !== undefined) throw new ArchiveError(`${options.file}: ${otherMachine}`);
  const total = [...files.values()].reduce((sum, { content }) => sum + content.length, 0);
  const created = unpacked(bundle, options.into, progressBar(io, 'unpacking', total));
  emit({
    event: 'loaded',
    into: options.into,
    version: manifest.version,
    files: files.size,
    sha256,
    moduleSha256: manifest.moduleSha256,
    envoys: manifest.envoys.map(({ version }) => version),
    signedBy,
    created,
  });
  return exitCode.ok;
}

/** As `unpackBundle`. @throws CommandError where the folder cannot be written */
function unpacked(bundle: OpenBundle, into: string, progress: (bytes: number) => void): boolean {
  try {
    return unpackBundle(bundle, into, progress);
  } catch (error) {
    if (error instanceof ArchiveError) throw error;
    throw new CommandError(`--into: ${whyUnwritable(into, error)}`);
  }
}

/** The name of the key that signed the file; null where none is asked for. @throws ArchiveError where none of them did */
async function signer(options: Options, bytes: Buffer, { env }: Io): Promise<string | null> {
  const keys = await readTrustedKeys(trustedKeyFiles(options.keys, env));
  if (keys.length === 0) return null;
  const file = options.signature ?? `${options.file}.sig`;
  const signature = await readFile(file).catch((error: unknown) => {
    throw new ArchiveError(
      `${options.file} has to be signed, and its signature cannot be read: ${(error as Error).message}`,
    );
  });
  const key = signature.length > signatureLimit ? undefined : signerOf(bytes, signature, keys);
  if (key !== undefined) return key.name;
  const names = keys.map(({ name }) => name).join(', ');
  throw new ArchiveError(
    `${options.file} was not signed with ${names}: ${file} is a signature of something else, or by somebody else`,
  );
}

async function bundleBytes(file: string): Promise<Buffer> {
  try {
    const { size } = await stat(file);
    if (size > bundleLimits.bytes) throw new ArchiveError(`${file} has ${size} bytes, more than a bundle may have`);
    return await readFile(file);
  } catch (error) {
    if (error instanceof ArchiveError) throw error;
    throw new CommandError(whyUnreadable(file, error));
  }
}

async function refused<T>(file: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw error instanceof ArchiveError ? new ArchiveError(`${file}: ${error.message}`) : error;
  }
}
