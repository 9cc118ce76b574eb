import fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { loadArtifact, PluginServerError, Tokens } from '../../plugin-server/index.ts';
import { Forms } from '../../plugin-server/plugins/forms.ts';
import { isRange, isVersion, newestIn } from '../../common/version.ts';
import { checkDigests, contentDigest } from '../../plugin-server/publish/digest-header.ts';
import { unwrap } from '../../plugin-server/publish/unwrap.ts';
import { moduleWith } from './modules.ts';

const artifact = loadArtifact('sluice', '1.0.0', moduleWith('wrapped'));
const tar = (await new Forms().get(artifact, 'plugin.tar')).bytes;

/** Whatever comes, the outcome is bytes or an error of the table, and within the limit. */
async function outcome(bytes: Buffer): Promise<Buffer | string> {
  try {
    const unwrapped = await unwrap(bytes, 100_000, 'it');
    expect(unwrapped.wrappings.length === 0 || unwrapped.bytes.length <= 100_000).toBe(true);
    return unwrapped.bytes;
  } catch (error) {
    expect(error).toBeInstanceOf(PluginServerError);
    return (error as PluginServerError).code;
  }
}

test('what is wrapped comes out, and what is not stays as it is', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 600 }), fc.boolean(), async (content, zipped) => {
      const bytes = Buffer.from(content);
      fc.pre(bytes[0] !== 0x1f);
      expect(await outcome(zipped ? gzipSync(bytes) : bytes)).toEqual(bytes);
    }),
  );
});

test('a tar or gzip that is damaged in any place is bytes or an error, never a crash', async () => {
  const wrapped = [tar, gzipSync(tar), gzipSync(artifact.bytes)];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...wrapped), fc.nat(), fc.nat(255), fc.nat(), async (box, at, value, length) => {
      const damaged = Buffer.from(box);
      damaged[at % damaged.length] = value;
      await outcome(damaged.subarray(0, damaged.length - (length % 3 === 0 ? length % damaged.length : 0)));
    }),
    { numRuns: 300 },
  );
});

test('digest fields of any kind are a yes, or an error of the table', () => {
  const content = Buffer.from('content');
  checkDigests({ 'content-digest': contentDigest(content) }, content);
  fc.assert(
    fc.property(fc.string(), fc.constantFrom('content-digest', 'repr-digest'), (value, field) => {
      try {
        checkDigests({ [field]: value }, content);
      } catch (error) {
        expect(error).toBeInstanceOf(PluginServerError);
      }
    }),
  );
});

test('any text where a version stands is a version, a range, or neither, and never an exception', () => {
  const versions = ['2.0.0-rc.1', '1.10.0', '1.2.3', '1.2.3-beta', '0.1.0'];
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\^~<>=|\d. x*-]{1,20}$/)), (text) => {
      isVersion(text);
      if (isRange(text)) expect([...versions, undefined]).toContain(newestIn(versions, text));
    }),
  );
});

test.each([
  ['latest', ['2.0.0-rc.1', '1.10.0', '1.2.3'], '1.10.0'],
  ['latest', ['2.0.0-rc.1', '1.0.0-rc.1'], '2.0.0-rc.1'],
  ['^0.1', ['0.2.0', '0.1.9', '0.1.0'], '0.1.9'],
  ['1.x', ['2.0.0', '1.10.0', '1.9.0'], '1.10.0'],
  ['>=1.0.0-beta <1.0.0', ['1.0.0', '1.0.0-rc.1'], '1.0.0-rc.1'],
  ['^1', ['1.1.0-rc.1', '1.0.0'], '1.0.0'],
  ['*', ['1.0.0-rc.1'], undefined],
  ['^3', ['2.0.0'], undefined],
])('%s of %j is %s', (range, versions, expected) => {
  expect(newestIn(versions, range)).toBe(expected);
});

test('a token file: comments, names, and what is wrong by its line', () => {
  const tokens = Tokens.parse(
    '# comment\n\nci first-token-of-some-length\r\n  second-token-of-some-length  \n',
    'file',
  );
  expect(tokens.nameOf('Bearer first-token-of-some-length')).toBe('ci');
  expect(tokens.nameOf('Bearer second-token-of-some-length')).toBe('token');
  for (const wrong of [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Bearer ci',
    'first-token-of-some-length',
    'Bearer # comment',
  ]) {
    expect(tokens.nameOf(wrong)).toBeUndefined();
  }
  const defects: [string, string][] = [
    ['', 'there is no token in it'],
    ['ci a-token-of-some-length more', 'line 1 is not'],
    ['\nci short', 'line 2 has less than 16 characters'],
    ['ci a-token-with-an-ümlaut', 'line 1 has characters'],
    [Array.from({ length: 101 }, (_, index) => `a-token-of-some-length-${index}`).join('\n'), 'more than 100 tokens'],
  ];
  for (const [text, message] of defects) {
    expect(() => Tokens.parse(text, 'file')).toThrow(message);
  }
});
