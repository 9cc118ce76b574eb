import { createHash, timingSafeEqual } from 'node:crypto';
import { PluginServerError } from '../errors.ts';

/** Shorter ones can be guessed. `openssl rand -base64 32` makes a good one. */
const leastLength = 16;

/** Nobody has more publishers, and every request is compared with all of them. */
const mostTokens = 100;

// RFC 6750 §2.1: b64token
const bearer = /^Bearer +([\w.~+/-]+=*) *$/i;
const tokenPattern = /^[\w.~+/-]+=*$/;

interface Publisher {
  readonly name: string;
  readonly digest: Buffer;
}

/** Who may publish. Tokens are kept as digests: nothing that is dumped shows one. */
export class Tokens {
  readonly #publishers: readonly Publisher[];

  private constructor(publishers: readonly Publisher[]) {
    this.#publishers = publishers;
  }

  /**
   * Reads a token file: one token a line, with a name before it where several publish (`ci <token>`); blank lines and
   * `#` comments are left out. Throws `secret_unusable`, which names the line and never shows it.
   * @param source for messages: the file, or the variable
   */
  static parse(text: string, source: string): Tokens {
    const publishers: Publisher[] = [];
    for (const [index, raw] of text.split('\n').entries()) {
      const line = raw.trim();
      if (line === '' || line.startsWith('#')) continue;
      const [first = '', second, ...more] = line.split(/\s+/);
      const [name, token] = second === undefined ? ['token', first] : [first, second];
      const defect = more.length > 0 ? 'is not "<token>" or "<name> <token>"' : tokenDefect(token);
      if (defect !== undefined) throw new PluginServerError('secret_unusable', source, `line ${index + 1} ${defect}`);
      publishers.push({ name: name.slice(0, 64), digest: digestOf(token) });
    }
    if (publishers.length === 0) throw new PluginServerError('secret_unusable', source, 'there is no token in it');
    if (publishers.length > mostTokens) {
      throw new PluginServerError('secret_unusable', source, `it has more than ${mostTokens} tokens`);
    }
    return new Tokens(publishers);
  }

  /** Digests of all tokens, to find whose one is among those of many files. */
  get digests(): readonly Buffer[] {
    return this.#publishers.map(({ digest }) => digest);
  }

  /** The name of who sent this `Authorization` header, or `undefined`. It takes as long for a wrong token as for a right one. */
  nameOf(authorization: string | undefined): string | undefined {
    const digest = presentedToken(authorization);
    if (digest === undefined) return undefined;
    let found: string | undefined;
    for (const publisher of this.#publishers) if (timingSafeEqual(publisher.digest, digest)) found ??= publisher.name;
    return found;
  }
}

function tokenDefect(token: string): string | undefined {
  if (token.length < leastLength)
    return `has less than ${leastLength} characters; openssl rand -base64 32 makes a good one`;
  if (!tokenPattern.test(token))
    return 'has characters that no bearer token has (RFC 6750): use letters, digits, - . _ ~ + /';
  return undefined;
}

/** The digest of the token in an `Authorization` header; `undefined` where there is none. */
export function presentedToken(authorization: string | undefined): Buffer | undefined {
  const [, token] = bearer.exec(authorization ?? '') ?? [];
  return token === undefined ? undefined : digestOf(token);
}

/** A digest has one length, whatever the length of the token. */
function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
