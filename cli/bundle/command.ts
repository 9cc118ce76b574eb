import type { KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { sha256Of } from '../../bundle/checksums.ts';
import { packBundle } from '../../bundle/pack.ts';
import { SignatureError, privateKey, signatureOf } from '../../common/signature.ts';
import { version } from '../../common/home.ts';
import { command, type Context, type Values } from '../command.ts';
import { CommandError, exitCode } from '../io.ts';
import { whyUnreadable } from '../unreadable.ts';
import { writeWholeFile } from '../whole-file.ts';
import { readEnvoy } from './envoy.ts';
import { ownFiles } from './own-files.ts';

const usage = `usage: sluice bundle --out FILE [options]

Packs this Sluice into one tar, to be carried to where there is no network: the module, the server, all that it needs, an
SBOM, checksums and the documentation. The same Sluice makes the same bytes. \`sluice load\` unpacks it there.

  --out FILE          the tar to write
  --sign-key KEY      sign it: a private key, PEM, ECDSA P-256 or Ed25519; the signature goes to FILE.sig
  --envoy PATH        put this Envoy in: \`DIR/sluice start\` runs it, and the plugin server gives it to func-e
  --json              print one JSON object per line: bundled, or error
`;

interface Options {
  readonly out: string;
  readonly signKey: string | undefined;
  readonly envoy: string | undefined;
}

interface Bundled {
  readonly event: 'bundled';
  readonly file: string;
  readonly size: number;
  readonly sha256: string;
  readonly version: string;
  readonly moduleSha256: string;
  /** The version of the Envoy in it; null where there is none. */
  readonly envoy: string | null;
  /** The file of the signature; null where it was not signed. */
  readonly signature: string | null;
}

const flags = {
  out: { type: 'string' },
  'sign-key': { type: 'string' },
  envoy: { type: 'string' },
} as const;

/** `sluice bundle`. Exit codes: 0 written, 2 wrong use, 3 something that it needs is missing, or cannot be written. */
export const bundle = command({
  name: 'bundle',
  usage,
  flags,
  takesArguments: false,
  read,
  print: (io) => (bundled: Bundled) => {
    const { file, size, sha256, signature } = bundled;
    io.out(`${file}  ${size} bytes  sha256 ${sha256}\n${signature === null ? '' : `${signature}  its signature\n`}`);
  },
  run,
});

function read({ out, 'sign-key': signKey, envoy }: Values<typeof flags>): Options {
  if (out === undefined) throw new Error('--out is missing');
  return { out, signKey, envoy };
}

async function run({ out, signKey, envoy: path }: Options, context: Context<Bundled>): Promise<number> {
  const { io, emit, progress } = context;
  // What cannot work is told before a minute of work.
  const key = signKey === undefined ? undefined : await signingKey(signKey);
  const envoy = path === undefined ? undefined : await readEnvoy(path);
  const own = await ownFiles(progress, io.env, envoy);
  progress('packing …');
  const bytes = await packBundle(own.files, own.manifest);
  const signature = key === undefined ? null : `${out}.sig`;
  await writeWholeFile('--out', out, bytes);
  if (key !== undefined && signature !== null) await writeWholeFile('--out', signature, signatureOf(bytes, key));
  emit({
    event: 'bundled',
    file: out,
    size: bytes.length,
    sha256: sha256Of(bytes),
    version,
    moduleSha256: own.manifest.moduleSha256,
    envoy: own.manifest.envoys[0]?.version ?? null,
    signature,
  });
  return exitCode.ok;
}

/** @throws CommandError */
async function signingKey(file: string): Promise<KeyObject> {
  try {
    return privateKey(await readFile(file, 'utf8'), file);
  } catch (error) {
    if (error instanceof SignatureError) throw new CommandError(error.message);
    throw new CommandError(`--sign-key: ${whyUnreadable(file, error)}`);
  }
}
