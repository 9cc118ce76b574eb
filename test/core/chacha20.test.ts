import { createCipheriv } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instance } from './core.ts';
import {
  hex,
  JABBERWOCKY,
  ONE_KEY,
  OTHER_KEY,
  SUBMISSION,
  SUNSCREEN,
  TWO_NONCE,
  ZERO_KEY,
  ZERO_NONCE,
} from './rfc8439.ts';

const core = instance();

function crypt(key: Uint8Array, nonce: Uint8Array, counter: number, text: Uint8Array): Uint8Array {
  const out = core.room(text.length);
  core.call('chacha20Crypt', core.put(key), core.put(nonce), counter, core.put(text), text.length, out.pointer);
  const result = out.bytes();
  core.clear();
  return result;
}

function block(key: Uint8Array, nonce: Uint8Array, counter: number): Uint8Array {
  const out = core.room(64);
  core.call('chacha20Block', core.put(key), core.put(nonce), counter, out.pointer);
  const result = out.bytes();
  core.clear();
  return result;
}

const COUNTING_KEY = Uint8Array.from({ length: 32 }, (_, i) => i);

test.each([
  {
    name: '§2.3.2',
    key: COUNTING_KEY,
    nonce: hex('000000090000004a00000000'),
    counter: 1,
    stream: `10f1e7e4d13b5915500fdd1fa32071c4 c7d1f4c733c068030422aa9ac3d46c4e
             d2826446079faa0914c2d705d98b02a2 b5129cd1de164eb9cbd083e8a2503c4e`,
  },
  {
    name: 'A.1 #1',
    key: ZERO_KEY,
    nonce: ZERO_NONCE,
    counter: 0,
    stream: `76b8e0ada0f13d90405d6ae55386bd28 bdd219b8a08ded1aa836efcc8b770dc7
             da41597c5157488d7724e03fb8d84a37 6a43b8f41518a11cc387b669b2ee6586`,
  },
  {
    name: 'A.1 #2',
    key: ZERO_KEY,
    nonce: ZERO_NONCE,
    counter: 1,
    stream: `9f07e7be5551387a98ba977c732d080d cb0f29a048e3656912c6533e32ee7aed
             29b721769ce64e43d57133b074d839d5 31ed1f28510afb45ace10a1f4b794d6f`,
  },
  {
    name: 'A.1 #3',
    key: ONE_KEY,
    nonce: ZERO_NONCE,
    counter: 1,
    stream: `3aeb5224ecf849929b9d828db1ced4dd 832025e8018b8160b82284f3c949aa5a
             8eca00bbb4a73bdad192b5c42f73f2fd 4e273644c8b36125a64addeb006c13a0`,
  },
  {
    name: 'A.1 #4',
    key: hex('00ff' + '00'.repeat(30)),
    nonce: ZERO_NONCE,
    counter: 2,
    stream: `72d54dfbf12ec44b362692df94137f32 8fea8da73990265ec1bbbea1ae9af0ca
             13b25aa26cb4a648cb9b9d1be65b2c09 24a66c54d545ec1b7374f4872e99f096`,
  },
  {
    name: 'A.1 #5',
    key: ZERO_KEY,
    nonce: TWO_NONCE,
    counter: 0,
    stream: `c2c64d378cd536374ae204b9ef933fcd 1a8b2288b3dfa49672ab765b54ee27c7
             8a970e0e955c14f3a88e741b97c286f7 5f8fc299e8148362fa198a39531bed6d`,
  },
])('block function, RFC 8439 $name', ({ key, nonce, counter, stream }) => {
  expect(block(key, nonce, counter)).toEqual(hex(stream));
});

test.each([
  {
    name: 'A.4 #1',
    key: ZERO_KEY,
    nonce: ZERO_NONCE,
    oneTimeKey: '76b8e0ada0f13d90405d6ae55386bd28 bdd219b8a08ded1aa836efcc8b770dc7',
  },
  {
    name: 'A.4 #2',
    key: ONE_KEY,
    nonce: TWO_NONCE,
    oneTimeKey: 'ecfa254f845f647473d3cb140da9e876 06cb33066c447b87bc2666dde3fbb739',
  },
  {
    name: 'A.4 #3',
    key: OTHER_KEY,
    nonce: TWO_NONCE,
    oneTimeKey: '965e3bc6f9ec7ed9560808f4d229f94b 137ff275ca9b3fcbdd59deaad23310ae',
  },
])('one-time key, RFC 8439 $name', ({ key, nonce, oneTimeKey }) => {
  expect(block(key, nonce, 0).subarray(0, 32)).toEqual(hex(oneTimeKey));
});

test.each([
  {
    name: '§2.4.2',
    key: COUNTING_KEY,
    nonce: hex('000000000000004a00000000'),
    counter: 1,
    text: SUNSCREEN,
    ciphertext: `6e2e359a2568f98041ba0728dd0d6981 e97e7aec1d4360c20a27afccfd9fae0b
                 f91b65c5524733ab8f593dabcd62b357 1639d624e65152ab8f530c359f0861d8
                 07ca0dbf500d6a6156a38e088a22b65e 52bc514d16ccf806818ce91ab7793736
                 5af90bbf74a35be6b40b8eedf2785e42 874d`,
  },
  {
    name: 'A.2 #1',
    key: ZERO_KEY,
    nonce: ZERO_NONCE,
    counter: 0,
    text: new Uint8Array(64),
    ciphertext: `76b8e0ada0f13d90405d6ae55386bd28 bdd219b8a08ded1aa836efcc8b770dc7
                 da41597c5157488d7724e03fb8d84a37 6a43b8f41518a11cc387b669b2ee6586`,
  },
  {
    name: 'A.2 #2',
    key: ONE_KEY,
    nonce: TWO_NONCE,
    counter: 1,
    text: SUBMISSION,
    ciphertext: `a3fbf07df3fa2fde4f376ca23e827370 41605d9f4f4f57bd8cff2c1d4b7955ec
                 2a97948bd3722915c8f3d337f7d37005 0e9e96d647b7c39f56e031ca5eb6250d
                 4042e02785ececfa4b4bb5e8ead0440e 20b6e8db09d881a7c6132f420e527950
                 42bdfa7773d8a9051447b3291ce1411c 680465552aa6c405b7764d5e87bea85a
                 d00f8449ed8f72d0d662ab052691ca66 424bc86d2df80ea41f43abf937d3259d
                 c4b2d0dfb48a6c9139ddd7f76966e928 e635553ba76c5c879d7b35d49eb2e62b
                 0871cdac638939e25e8a1e0ef9d5280f a8ca328b351c3c765989cbcf3daa8b6c
                 cc3aaf9f3979c92b3720fc88dc95ed84 a1be059c6499b9fda236e7e818b04b0b
                 c39c1e876b193bfe5569753f88128cc0 8aaa9b63d1a16f80ef2554d7189c411f
                 5869ca52c5b83fa36ff216b9c1d30062 bebcfd2dc5bce0911934fda79a86f6e6
                 98ced759c3ff9b6477338f3da4f9cd85 14ea9982ccafb341b2384dd902f3d1ab
                 7ac61dd29c6f21ba5b862f3730e37cfd c4fd806c22f221`,
  },
  {
    name: 'A.2 #3',
    key: OTHER_KEY,
    nonce: TWO_NONCE,
    counter: 42,
    text: JABBERWOCKY,
    ciphertext: `62e6347f95ed87a45ffae7426f27a1df 5fb69110044c0d73118effa95b01e5cf
                 166d3df2d721caf9b21e5fb14c616871 fd84c54f9d65b283196c7fe4f60553eb
                 f39c6402c42234e32a356b3e764312a6 1a5532055716ead6962568f87d3f3f77
                 04c6a8d1bcd1bf4d50d6154b6da731b1 87b58dfd728afa36757a797ac188d1`,
  },
])('encryption, RFC 8439 $name', ({ key, nonce, counter, text, ciphertext }) => {
  expect(crypt(key, nonce, counter, text)).toEqual(hex(ciphertext));
});

test('equals node:crypto from any block on, for every length around the three blocks that are made at a time', () => {
  const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const nonce = fc.uint8Array({ minLength: 12, maxLength: 12 });
  fc.assert(
    fc.property(key, nonce, fc.nat(0x7fffffff), (key, nonce, counter) => {
      const text = Uint8Array.from({ length: 450 }, (_, i) => i * 7);
      const iv = Buffer.alloc(16);
      iv.writeUInt32LE(counter);
      iv.set(nonce, 4);
      const expected = new Uint8Array(createCipheriv('chacha20', key, iv).update(text));
      for (const length of [0, 1, 15, 16, 17, 63, 64, 65, 127, 128, 191, 192, 193, 255, 256, 257, 383, 384, 385, 450]) {
        expect(crypt(key, nonce, counter, text.subarray(0, length))).toEqual(expected.subarray(0, length));
      }
    }),
    { numRuns: 50 },
  );
});
