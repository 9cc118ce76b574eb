import { randomBytes } from 'node:crypto';
import { bench } from 'vitest';
import { instance } from '../core/core.ts';

/** A thousand calls a sample: the milliseconds that are reported are microseconds per call. */
const CALLS = 1000;
const core = instance();
const key = core.put(randomBytes(32));
const nonce = core.put(randomBytes(12));
const aad = core.put(randomBytes(40));

for (const size of [0, 100, 300, 1000, 3000]) {
  const text = core.put(randomBytes(size));
  const sealed = core.allocate(size + 16);
  core.call('aeadSeal', key, nonce, aad, 40, text, size, sealed);

  bench(`open ${size} B × ${CALLS}`, () => {
    for (let i = 0; i < CALLS; i++) {
      if (core.call('aeadOpen', key, nonce, aad, 40, sealed, size + 16, text) !== 1) throw new Error('forged');
    }
  });
}

const bytes = core.put(randomBytes(300));
const encoded = core.allocate(400);

bench(`base64url encode 300 B × ${CALLS}`, () => {
  for (let i = 0; i < CALLS; i++) core.call('base64urlEncode', bytes, 300, encoded);
});

bench(`base64url decode 400 characters × ${CALLS}`, () => {
  for (let i = 0; i < CALLS; i++) {
    if (core.call('base64urlDecode', encoded, 400, bytes) !== 300) throw new Error('refused');
  }
});
