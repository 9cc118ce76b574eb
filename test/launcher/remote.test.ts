import { expect, test } from 'vitest';
import { unanswered } from '../../cli/remote.ts';

const failed = (code: string): Error =>
  new TypeError('fetch failed', { cause: Object.assign(new Error('why'), { code }) });

test.each([
  ['ECONNREFUSED', 'see whether the plugin server runs, and compare the URL with the one that it printed'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'name the file of the authority that signed its certificate in NODE_EXTRA_CA_CERTS'],
  [
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'name the file of the authority that signed its certificate in NODE_EXTRA_CA_CERTS',
  ],
])('a plugin server that gives no answer (%s) is told with the next step', (code, next) => {
  expect(unanswered('https://plugins:8801', failed(code))).toBe(`https://plugins:8801: fetch failed: ${code}; ${next}`);
});
