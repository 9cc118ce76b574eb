import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { loadArtifact } from '../../plugin-server/index.ts';
import { moduleWith } from './modules.ts';

test('an artifact has the digests of its bytes, and a strong tag made of them', () => {
  const bytes = moduleWith('content');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const md5 = createHash('md5').update(bytes).digest('hex');
  expect(loadArtifact('sluice', '1.0.0', bytes)).toMatchObject({ bytes, sha256, md5, etag: `"${sha256}"` });
});

test('an artifact keeps its bytes when the caller reuses the buffer', () => {
  const bytes = moduleWith('content');
  const artifact = loadArtifact('sluice', '1.0.0', bytes);
  bytes.fill(0);
  expect(createHash('sha256').update(artifact.bytes).digest('hex')).toBe(artifact.sha256);
});

test('names and versions are checked', () => {
  expect(() => loadArtifact('../etc', '1.0.0', moduleWith(''))).toThrow('"../etc" is not a plugin name');
  expect(() => loadArtifact('sluice', 'latest', moduleWith(''))).toThrow('"latest" is not a version');
});

const withoutEnd = moduleWith('content').subarray(0, -1);
test.each([
  ['nothing', Buffer.alloc(0), 'it is empty'],
  ['other bytes', Buffer.from('#!/bin/sh'), 'it begins with 23212f62, not with 0061736d'],
  ['gzip', Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]), 'it is gzip data'],
  ['a zip archive', Buffer.from('PK\x03\x04'), 'it is a zip archive'],
  ['text format', Buffer.from('(module)'), 'it is WebAssembly text'],
  ['an error page', Buffer.from('<!doctype html>'), 'it is HTML'],
  ['a Git LFS pointer', Buffer.from('version https://git-lfs.github.com/spec/v1\n'), 'it is a Git LFS pointer'],
  ['half a header', Buffer.from('\0asm\x01\0'), 'it ends within its header'],
  ['a component', Buffer.from('\0asm\x0d\0\x01\0', 'latin1'), 'it is a component'],
  ['a later format', Buffer.from('\0asm\x02\0\0\0', 'latin1'), 'it has version 2 of the binary format'],
  ['a module cut short', withoutEnd, 'end'],
])('%s is refused as no module', (_what, bytes, reason) => {
  expect(() => loadArtifact('sluice', '1.0.0', bytes)).toThrow(
    expect.objectContaining({ code: 'not_wasm', message: expect.stringContaining(reason) as string }),
  );
});
