import { expect, test } from 'vitest';
import { AddressPolicy } from '../../plugin-server/live/address-policy.ts';
import { matchesGlob } from '../../plugin-server/live/glob.ts';

const special = [
  '127.0.0.1', '127.1', '0x7f000001', '2130706433', '0177.0.0.1', '0.0.0.0', '169.254.169.254', '169.254.0.1', '100.100.100.200', '168.63.129.16',
  '224.0.0.1', '255.255.255.255', '::1', '::', 'fe80::1', 'fe80::1%eth0', 'ff02::1', 'fd00:ec2::254', '::ffff:127.0.0.1', '::ffff:a9fe:a9fe',
  '64:ff9b::a9fe:a9fe', '2002:7f00:1::', 'localhost', 'LOCALHOST', 'localhost.', 'x.localhost', 'metadata.google.internal', 'instance-data',
]; // prettier-ignore

test.each(special)('%s is led to by no catalog, unless it is named for itself', (host) => {
  expect(new AddressPolicy(undefined).refusal(host)).toBeDefined();
  expect(new AddressPolicy(['0.0.0.0/0', '::/0', '10.0.0.0/8']).refusal(host)).toBeDefined();
});

test.each([
  ['127.0.0.1', ['127.0.0.1']],
  ['127.0.0.5', ['127.0.0.0/8']],
  ['127.1', ['127.0.0.1']],
  ['::1', ['::1']],
  ['169.254.169.254', ['169.254.169.254']],
  ['localhost', ['localhost']],
  ['10.1.2.3', ['10.0.0.0/8']],
  ['2001:db8::5', ['2001:db8::/32']],
  ['a.tools.example', ['*.tools.example']],
  ['A.TOOLS.EXAMPLE.', ['*.Tools.example']],
])('%s is led to where %s is named', (host, allowed) => {
  expect(new AddressPolicy(allowed).refusal(host)).toBeUndefined();
});

test.each([
  ['11.1.2.3', ['10.0.0.0/8']],
  ['tools.example.evil.test', ['*.tools.example']],
  ['a.example', ['10.0.0.0/8']],
  ['2001:db9::5', ['2001:db8::/32']],
  ['a b', ['*']],
])('%s is not led to where %s is named', (host, allowed) => {
  expect(new AddressPolicy(allowed).refusal(host)).toBeDefined();
});

test.each(['10.0.0.1', '192.168.1.1', '8.8.8.8', '2001:db8::1', 'weather.tools.svc', 'localhosts'])(
  '%s is led to where nothing is said',
  (host) => {
    expect(new AddressPolicy(undefined).refusal(host)).toBeUndefined();
  },
);

test.each([
  ['*', '', true],
  ['a*c', 'abc', true],
  ['a?c', 'ac', false],
  ['*.b', 'a.b', true],
  ['*.b', 'a.b.c', false],
  ['a**', 'a', true],
  ['*a*a*a*b', `${'a'.repeat(2_000)}c`, false],
])('the glob %s and the text', (glob, text, matches) => {
  expect(matchesGlob(glob, text)).toBe(matches);
});
