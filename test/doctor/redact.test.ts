import fc from 'fast-check';
import { expect, test } from 'vitest';
import { redact, redactText, removed } from '../../cli/doctor/redact.ts';

const secret = 'planted-0123456789abcdef';
const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIiwic3ViIjoiYiJ9.c2lnbmF0dXJlLW9mLWl0';

test.each<[string, unknown]>([
  ['a variable of a VM', { vm_config: { environment_variables: { key_values: { WEATHER_TOKEN: secret } } } }],
  ['a header that a route adds', { request_headers_to_add: [{ header: { key: 'Authorization', value: secret } }] }],
  ['a raw header', { header: { key: 'x-api-key', raw_value: secret } }],
  ['a header of an HTTP client', { name: 'cookie', value: secret }],
  ['a plugin configuration in a text', { value: JSON.stringify({ servers: [{ credentials: { value: secret } }] }) }],
  [
    'a default credential of a REST tool',
    { securitySchemes: [{ id: 'k', type: 'apiKey', defaultCredential: secret }] },
  ],
  ['a value of a REST server', { rest: { config: { anything: [secret] } } }],
  ['a client secret', { token_secret: { inline_string: secret }, client_secret: secret, clientSecret: secret }],
  ['a password in a URL', { uri: `https://user:${secret}@id.example.com/keys` }],
  ['a token in a query', { uri: `https://id.example.com/?a=1&access_token=${secret}&b=2` }],
  ['a bearer token in a text', { message: `it was sent Bearer ${secret}, and refused` }],
  ['a JWT', { message: `token ${jwt}` }],
  ['a private key', { text: `x -----BEGIN EC PRIVATE KEY-----\n${secret}\n-----END EC PRIVATE KEY----- y` }],
  ['a configuration on the command line', { command_line_options: { config_yaml: `a: ${secret}` } }],
  ['metadata of a node', { node: { metadata: { api_token: secret, password: 1234567890 } } }],
])('takes %s out, and says where it was', (_, value) => {
  const { value: clean, places } = redact(value);
  expect(JSON.stringify(clean)).not.toMatch(/planted-|c2lnbmF0|1234567890/);
  expect(JSON.stringify(clean)).toContain(removed);
  expect(places).not.toEqual([]);
});

test('leaves what is none', () => {
  const value = {
    credentials: { type: 'header', header: 'authorization', env: 'WEATHER_TOKEN' },
    sessions: { keys: [{ id: 1, env: 'SLUICE_KEY_1' }] },
    header: { key: 'x-request-id', value: '7' },
    name: 'envoy.filters.http.jwt_authn',
    uri: 'http://127.0.0.1:8801/plugins/sluice/0.1.0/plugin.wasm',
    sha256: 'ab'.repeat(32),
    private_key: '[redacted]',
    numbers: [1, true, null],
  };
  expect(redact(value)).toEqual({ value, places: [] });
});

test('takes what was sent out wherever it stands', () => {
  const { value } = redact({ deep: [{ text: `x${secret}y` }], json: `{"a":"${secret}"}` }, [secret]);
  expect(JSON.stringify(value)).not.toContain('planted');
  expect(redactText(`a ${secret}`, [secret])).toBe(`a ${removed}`);
});

test('never throws, and keeps no known text, whatever the value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string(), (value, text) => {
      const { value: clean } = redact({ value, text: text + secret + text }, [secret]);
      expect(JSON.stringify(clean)).not.toContain(secret);
    }),
  );
});
