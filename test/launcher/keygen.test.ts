import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keygen } from '../../cli/keygen/command.ts';
import { readTrustedKeys } from '../../cli/trusted-keys.ts';

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  const out = (text: string): void => void (said.out += text);
  const err = (text: string): void => void (said.err += text);
  return { code: await keygen.run(args, { out, err, interactive: false, env: {} }), ...said };
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-keygen-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const mode = (file: string): number => statSync(file).mode & 0o777;

describe('sluice keygen session', () => {
  test('prints 32 bytes in base64url, others each time', async () => {
    const [first, second] = [await run('session'), await run('session')];
    for (const { code, out, err } of [first, second]) {
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(out).toMatch(/^[\w-]{43}\n$/);
      expect(Buffer.from(out, 'base64url').length).toBe(32);
    }
    expect(first.out).not.toBe(second.out);
  });

  test('prints JSON', async () => {
    const { out } = await run('session', '--json');
    expect(JSON.parse(out)).toEqual({
      event: 'key',
      kind: 'session',
      key: expect.stringMatching(/^[\w-]{43}$/) as string,
    });
  });

  test('writes a new file for its owner, and none over another', async () => {
    const file = join(folder, 'session.key');
    expect(await run('session', '--out', file)).toEqual({ code: 0, out: `${file}\n`, err: '' });
    expect(mode(file)).toBe(0o600);
    const key = readFileSync(file, 'utf8');
    expect(key).toMatch(/^[\w-]{43}\n$/);
    const again = await run('session', '--out', file);
    expect(again).toMatchObject({ code: 3, out: '' });
    expect(again.err).toContain(`there is a ${file} already`);
    expect(readFileSync(file, 'utf8')).toBe(key);
  });
});

describe('sluice keygen signing', () => {
  test.each([
    [[], 'ed25519', 'ci.pem', 'ci.pub'],
    [['--type', 'p256'], 'ec', 'release.key', 'release.pub'],
    [['--type', 'ed25519'], 'ed25519', 'plain', 'plain.pub'],
  ])('with %j makes a pair that signs and verifies', async (args, type, name, publicName) => {
    const [file, publicFile] = [join(folder, name), join(folder, publicName)];
    const { code, out, err } = await run('signing', '--out', file, ...args, '--json');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(JSON.parse(out)).toEqual({ event: 'key', kind: 'signing', file, publicFile });
    expect(mode(file)).toBe(0o600);
    const privateKey = createPrivateKey(readFileSync(file));
    const publicKey = createPublicKey(readFileSync(publicFile));
    expect(publicKey.asymmetricKeyType).toBe(type);
    const bytes = Buffer.from('a module');
    const algorithm = type === 'ec' ? 'sha256' : null;
    expect(verify(algorithm, bytes, publicKey, sign(algorithm, bytes, privateKey))).toBe(true);
    expect(await readTrustedKeys([publicFile])).toHaveLength(1);
  });

  test('leaves no private key where its public one cannot be written', async () => {
    writeFileSync(join(folder, 'taken.pub'), 'another');
    const before = readdirSync(folder);
    const { code, err } = await run('signing', '--out', join(folder, 'taken.pem'));
    expect(code).toBe(3);
    expect(err).toContain('taken.pub already');
    expect(readdirSync(folder)).toEqual(before);
  });

  test('says what to do where there is no such folder', async () => {
    const { code, err } = await run('signing', '--out', join(folder, 'none', 'ci.pem'));
    expect(code).toBe(3);
    expect(err).toContain('there is no folder');
  });
});

test.each([
  [[], 'keygen takes the kind of one key: session or signing'],
  [['sesion'], 'did you mean "session"?'],
  [['session', 'signing'], 'keygen takes the kind of one key'],
  [['session', '--type', 'p256'], '--type is of signing keys'],
  [['signing'], '--out is missing'],
  [['signing', '--out', ''], '--out is empty: give it a value'],
  [['signing', '--out', 'x', '--type', 'rsa'], '--type is one of ed25519, p256, not "rsa"'],
  [['signing', '--out', 'x', '--type', 'constructor'], '--type is one of ed25519, p256, not "constructor"'],
  [['session', '--ot', 'x'], 'did you mean "out"?'],
])('%j is refused', async (args, message) => {
  const { code, out, err } = await run(...args);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toContain(message);
});
