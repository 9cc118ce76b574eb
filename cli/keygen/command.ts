import { generateKeyPairSync } from 'node:crypto';
import { rmSync } from 'node:fs';
import { didYouMean } from '../../common/nearest.ts';
import { command, type Context, type Values } from '../command.ts';
import { createWhole } from '../create-whole.ts';
import { CommandError, exitCode } from '../io.ts';
import { newSessionKey } from '../new-session-key.ts';
import { whyUnwritable } from '../unwritable.ts';

const usage = `usage: sluice keygen session [--out FILE] [options]
       sluice keygen signing --out FILE [--type ed25519|p256] [options]

Makes a key from the random numbers of the system.

  session   32 bytes in base64url, as a variable that \`sessions.keys\` names has them: printed, or with --out in a file
  signing   a pair of keys for signatures of modules and bundles, in PEM: the private one in FILE, the public one beside it
            (ci.pem and ci.pub), as openssl makes them: for \`sluice bundle --sign-key\`, and for \`--key\` of \`serve\` and \`load\`

  --out FILE   a new file, which only its owner can read; one that is there is never written over
  --type TYPE  of a signing key: ed25519 (default), or p256 for ECDSA on P-256
  --json       print one JSON object: key, or error

Exit codes: 0 done, 2 wrong use, 3 a file cannot be written.
`;

const readable = 0o644;

type Kind = 'session' | 'signing';

type Options =
  | { readonly kind: 'session'; readonly out: string | undefined }
  | { readonly kind: 'signing'; readonly out: string; readonly type: SigningType };

type KeyEvent =
  | { readonly event: 'key'; readonly kind: 'session'; readonly key: string }
  | { readonly event: 'key'; readonly kind: Kind; readonly file: string; readonly publicFile?: string };

const kinds: readonly Kind[] = ['session', 'signing'];

const signingTypes = {
  ed25519: () => generateKeyPairSync('ed25519'),
  p256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
};

type SigningType = keyof typeof signingTypes;

const flags = {
  out: { type: 'string' },
  type: { type: 'string' },
} as const;

/** `sluice keygen`. Exit codes: 0 done, 2 wrong use, 3 a file cannot be written. */
export const keygen = command({
  name: 'keygen',
  usage,
  flags,
  takesArguments: true,
  read,
  print: (io) => (event: KeyEvent) => {
    io.out(textOf(event));
  },
  run,
});

function read({ out, type }: Values<typeof flags>, [name, ...more]: readonly string[]): Options {
  const kind = kinds.find((each) => each === name);
  if (kind === undefined || more.length > 0) {
    const hint = name === undefined || more.length > 0 ? '' : didYouMean(name, kinds);
    throw new Error(`keygen takes the kind of one key: ${kinds.join(' or ')}${hint}`);
  }
  if (kind === 'session') {
    if (type !== undefined) throw new Error('--type is of signing keys');
    return { kind, out };
  }
  if (out === undefined) throw new Error('--out is missing: the file of the private key, such as ci.pem');
  return { kind, out, type: signingTypeOf(type ?? 'ed25519') };
}

function signingTypeOf(type: string): SigningType {
  if (Object.hasOwn(signingTypes, type)) return type as SigningType;
  const names = Object.keys(signingTypes);
  throw new Error(`--type is one of ${names.join(', ')}, not ${JSON.stringify(type)}${didYouMean(type, names)}`);
}

function run(options: Options, { emit }: Context<KeyEvent>): Promise<number> {
  emit(options.kind === 'session' ? makeSessionKey(options.out) : makeSigningKey(options.out, options.type));
  return Promise.resolve(exitCode.ok);
}

function makeSessionKey(out: string | undefined): KeyEvent {
  const key = newSessionKey();
  if (out === undefined) return { event: 'key', kind: 'session', key };
  writeNew(out, `${key}\n`);
  return { event: 'key', kind: 'session', file: out };
}

function makeSigningKey(file: string, type: SigningType): KeyEvent {
  const publicFile = publicFileOf(file);
  const { privateKey, publicKey } = signingTypes[type]();
  writeNew(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  try {
    writeNew(publicFile, publicKey.export({ type: 'spki', format: 'pem' }), readable);
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
  }
  return { event: 'key', kind: 'signing', file, publicFile };
}

/** `ci.pub` beside `ci.pem`, as the pages have it. */
function publicFileOf(file: string): string {
  return `${file.replace(/\.(pem|key)$/, '')}.pub`;
}

/** @throws CommandError where there is a file of that name: a key that is lost is lost with all that it has sealed or signed */
function writeNew(file: string, content: string | Buffer, mode?: number): void {
  let isNew: boolean;
  try {
    isNew = createWhole(file, content, mode);
  } catch (error) {
    throw new CommandError(`--out: ${whyUnwritable(file, error)}`);
  }
  if (!isNew) throw new CommandError(`--out: ${whyUnwritable(file, { code: 'EEXIST' })}`);
}

function textOf(event: KeyEvent): string {
  if ('key' in event) return `${event.key}\n`;
  const { file, publicFile } = event;
  return publicFile === undefined
    ? `${file}\n`
    : `${file}: the private key; keep it secret\n${publicFile}: the public key\n`;
}
