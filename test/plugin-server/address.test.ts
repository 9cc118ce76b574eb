import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareVersions } from '../../common/version.ts';
import { checkName, checkVersion } from '../../plugin-server/address.ts';

describe('names', () => {
  test.each(['a', '7', 'sluice', 'key-auth', 'ai.proxy_2', 'a'.repeat(128)])('%j is one', (name) => {
    checkName(name);
  });

  const notNames = [
    '',
    '.',
    '..',
    '-a',
    'a-',
    '.a',
    'a.',
    'A',
    'a/b',
    'a\\b',
    'a\0',
    'a b',
    'ä',
    'a\n',
    'a'.repeat(129),
  ];
  test.each(notNames)('%j is none', (name) => {
    expect(() => {
      checkName(name);
    }).toThrow(expect.objectContaining({ code: 'invalid_name' }));
  });
});

describe('versions', () => {
  test.each(['0.0.0', '1.2.3', '10.20.30', '1.0.0-rc.1', '1.0.0-0.x-y', '1.0.0+build.01', '1.0.0-A+B'])(
    '%j is one',
    (version) => {
      checkVersion(version);
    },
  );

  const notVersions = ['', '1', '1.2', 'v1.2.3', '01.2.3', '1.2.3-', '1.2.3-01', '1.2.3+', '1.2.3\n', 'latest', '..'];
  test.each([...notVersions, '^1.2.3', `1.2.3-${'a'.repeat(123)}`])('%j is none', (version) => {
    expect(() => {
      checkVersion(version);
    }).toThrow(expect.objectContaining({ code: 'invalid_version' }));
  });

  // The order that semver.org §11 gives as its example, with numbers beyond 2^53 and build metadata added.
  const ascending = [
    '0.9.0',
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-beta.90071992547409930',
    '1.0.0-beta.90071992547409931',
    '1.0.0-rc.1',
    '1.0.0',
    '1.0.0+a',
    '1.0.0+b',
    '1.9.0',
    '1.10.0',
    '2.0.0',
  ];

  test('are ordered by precedence, from whatever order they come in', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(ascending, { minLength: ascending.length }), (shuffled) => {
        expect(shuffled.sort(compareVersions)).toEqual(ascending);
      }),
    );
  });
});
