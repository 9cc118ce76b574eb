// A USB stick with FAT or exFAT has no hard links, and neither have some volumes that are mounted over a network.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { createWhole } from '../../cli/create-whole.ts';
import { sessionKey } from '../../cli/start/session-key.ts';

vi.mock(import('node:fs'), async (original) => ({
  ...(await original()),
  linkSync: () => {
    throw Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM', syscall: 'link' });
  },
}));

const folder = mkdtempSync(join(tmpdir(), 'sluice-no-hard-links-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

test('a new file is made where there are no hard links, and one that is there stays', () => {
  const file = join(folder, 'ci.pem');
  expect(createWhole(file, 'first')).toBe(true);
  expect(createWhole(file, 'second')).toBe(false);
  expect(readFileSync(file, 'utf8')).toBe('first');
  expect(readdirSync(folder)).toEqual(['ci.pem']);
});

test('a session key is kept where there are no hard links', () => {
  const data = join(folder, 'data');
  const key = sessionKey(data);
  expect(sessionKey(data)).toBe(key);
  expect(readdirSync(data)).toEqual(['session-key']);
});
