import { expect, test } from 'vitest';
import { loadArtifact } from '../../plugin-server/index.ts';
import { nearest } from '../../common/nearest.ts';
import { ArtifactStore } from '../../plugin-server/store/artifact-store.ts';
import { moduleWith } from './modules.ts';

function artifact(name: string, version: string) {
  return loadArtifact(name, version, moduleWith(`${name} ${version}`));
}

test('names are in alphabetical order, versions newest first', () => {
  const store = new ArtifactStore([
    artifact('sluice', '0.9.0'),
    artifact('sluice', '0.10.0'),
    artifact('ai-proxy', '1.0.0'),
    artifact('sluice', '0.10.0-rc.1'),
  ]);
  expect(store.names()).toEqual(['ai-proxy', 'sluice']);
  expect(store.versions('sluice').map(({ version }) => version)).toEqual(['0.10.0', '0.10.0-rc.1', '0.9.0']);
});

test('the same address twice is refused, with equal bytes too', () => {
  const twice = [artifact('sluice', '1.0.0'), artifact('ai-proxy', '1.0.0'), artifact('sluice', '1.0.0')];
  expect(() => new ArtifactStore(twice)).toThrow(
    expect.objectContaining({ code: 'duplicate_artifact', message: expect.stringContaining('sluice/1.0.0') as string }),
  );
});

test('a store without plugins suggests none', () => {
  expect(() => new ArtifactStore([]).get('sluice', '1.0.0')).toThrow(
    'there is no plugin sluice, nor any other one yet; publish one',
  );
});

test('an object member is no plugin', () => {
  expect(() => new ArtifactStore([artifact('sluice', '1.0.0')]).get('constructor', '1.0.0')).toThrow(
    'there is no plugin constructor',
  );
});

test.each([
  ['slice', ['ai-proxy', 'sluice'], 'sluice'],
  ['0.1.1', ['2.0.0', '0.1.0', '0.1.1-rc.1'], '0.1.0'],
  ['ab', ['aa', 'bb'], 'aa'],
  ['', ['longer', 'x'], 'x'],
  ['anything', [], undefined],
])('nearest to %j in %j is %j', (wanted, candidates, expected) => {
  expect(nearest(wanted, candidates)).toBe(expected);
});
