// What Envoy makes of a text without quotes: the table is held against a real Envoy, the reader against the table.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, inject, onTestFinished, test } from 'vitest';
import { readDocument, readDocuments } from '../../envoy/yaml/document.ts';
import { plainScalar } from '../../envoy/yaml/scalar.ts';
import { envoyYaml } from '../../envoy/yaml/write.ts';
import { bases, examineText } from './support.ts';

/** As it is written; as Envoy reads it. */
const readings: readonly (readonly [string, unknown])[] = [
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON', 'true', 'True', 'TRUE'].map((text) => [text, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF', 'false', 'False', 'FALSE'].map((text) => [text, false] as const),
  ...['nO', 'yEs', 'oN', 'tRUE', 'nULL', 'none', 'nope'].map((text) => [text, text] as const),
  ...['~', 'null', 'Null', 'NULL'].map((text) => [text, null] as const),
  ['0', 0],
  ['-0', 0],
  ['+5', 5],
  ['-3', -3],
  ['010', 8],
  ['0777', 511],
  ['08', '08'],
  ['0o17', '0o17'],
  ['0x1F', 31],
  ['-0x1F', -31],
  ['0X1f', 31],
  ['0b11', '0b11'],
  ['1_000', '1_000'],
  ['1.5', '1.5'],
  ['1e3', '1e3'],
  ['.inf', '.inf'],
  ['2147483647', 2147483647],
  ['2147483648', '2147483648'],
  ['-2147483649', '-2147483649'],
  ['9223372036854775808', '9223372036854775808'],
  ['2026-01-01', '2026-01-01'],
  ['1:30', '1:30'],
  ['<<', '<<'],
  ['!!str no', false],
  ['!!int 010', 8],
  ['! no', 'no'],
  ['"no"', 'no'],
  ["'010'", '010'],
];

const written = `list:\n${readings.map(([text]) => `  - ${text}\n`).join('')}`;
const expected = readings.map(([, value]) => value);

test('the reader takes them as Envoy does', () => {
  const { document } = readDocument('file', Buffer.from(`static_resources:\n  ${written.replaceAll('\n', '\n  ')}`));
  expect(document?.root.get('static_resources', 'list').items.map(({ value }) => value)).toEqual(expected);
});

const envoy = inject('envoy');

test.skipIf(envoy === null)('Envoy takes them so', { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-scalar-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, 'envoy.yaml');
  const address = join(folder, 'admin');
  writeFileSync(
    file,
    `node:\n  id: a\n  cluster: b\n  metadata:\n    ${written.replaceAll('\n', '\n    ')}
admin: { address: { socket_address: { address: 127.0.0.1, port_value: 0 } } }\n`,
  );
  const running = spawn(
    envoy?.path ?? '',
    ['-c', file, '-l', 'off', '--use-dynamic-base-id', '--admin-address-path', address],
    { stdio: 'ignore' },
  );
  onTestFinished(() => void running.kill('SIGKILL'));
  let dump: unknown;
  await expect
    .poll(
      async () => {
        const admin = readFileSync(address, 'utf8');
        dump = await (await fetch(`http://${admin}/config_dump?resource=&mask=`)).json();
        return true;
      },
      { timeout: 50_000 },
    )
    .toBe(true);
  const { configs } = dump as { configs: { bootstrap?: { node: { metadata: { list: unknown[] } } } }[] };
  expect(configs.find(({ bootstrap }) => bootstrap !== undefined)?.bootstrap?.node.metadata.list).toEqual(expected);
});

test('what is generated is read back as it was', () => {
  const anything = fc.oneof(
    fc.constantFrom(...readings.map(([text]) => text)),
    fc.string(),
    fc.string({ unit: fc.constantFrom(...Array.from('0123456789xXoOabyYnN+-._')) }),
  );
  fc.assert(
    fc.property(fc.array(anything), fc.dictionary(anything, anything), (list, members) => {
      const text = envoyYaml({ static_resources: { list, members } });
      const { documents, flaws } = readDocuments('file', Buffer.from(text));
      expect(flaws).toEqual([]);
      expect(JSON.parse(JSON.stringify(documents[0]?.root.value))).toEqual(
        JSON.parse(JSON.stringify({ static_resources: { list, members } })),
      );
    }),
  );
});

test('a number of a plugin configuration stays one, of whatever size', () => {
  const type = 'type.googleapis.com/google.protobuf.Struct';
  const number = fc.oneof(
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((each) => (each === 0 ? 0 : each)),
  );
  fc.assert(
    fc.property(fc.array(number), (numbers) => {
      const value = { rest: { enum: numbers, name: 'n' } };
      const text = envoyYaml({ static_resources: [{ configuration: { '@type': type, value } }] });
      const { documents } = readDocuments('file', Buffer.from(text));
      const [any] = documents[0]?.root.get('static_resources').items.map((each) => each.get('configuration')) ?? [];
      const told = any?.get('value').value;
      expect(typeof told === 'string' ? JSON.parse(told) : told).toEqual(value);
      expect(any?.get('@type').text).toBe(typeof told === 'string' ? type.replace('Struct', 'StringValue') : type);
    }),
  );
});

test.each([[1], [2 ** 31 - 1], [-(2 ** 31)], ['4294967295'], [true]])(
  'a plugin configuration with %j stays one that is read like the rest',
  (value) => {
    const struct = { '@type': 'type.googleapis.com/google.protobuf.Struct', value: { value } };
    expect(envoyYaml(struct)).toContain('protobuf.Struct');
  },
);

/** The prefix of the first server, written by hand. */
const withPrefix = (text: string): string => bases.hold.replace(/prefix: everything_/, `prefix: ${text}`);

test.each(['no', 'Off', 'y', 'N', '010'])('%s as a prefix is found where it stands', (text) => {
  const edited = withPrefix(text);
  const [found, ...others] = examineText(edited).filter(({ rule }) => rule === 'scalar');
  expect(others).toEqual([]);
  const line = edited.split('\n').findIndex((each) => each.includes(`prefix: ${text}`)) + 1;
  expect(found).toMatchObject({
    line,
    severity: 'error',
    path: expect.stringMatching(/servers\[0\]\.prefix$/) as string,
  });
  expect(found?.message).toContain(
    `is written ${text}, which Envoy reads as ${String(plainScalar(text, text, 'envoy'))}`,
  );
  expect(examineText(withPrefix(`"${text}"`)).filter(({ rule }) => rule === 'scalar')).toEqual([]);
});

test('a pattern, a name and a route are found too, a boolean of Envoy is not', () => {
  const edited = withPrefix('weather_\n                                tools: { allow: [on, get_*], deny: [n] }')
    .replace('normalize_path: true', 'normalize_path: on')
    .replace('exact: notes', 'exact: off');
  const found = examineText(edited).filter(({ rule }) => rule === 'scalar' || rule === 'paths');
  expect(found.map(({ message }) => message.split(',')[0])).toEqual([
    'is written on',
    'is written n',
    'is written off',
  ]);
});

test.each(['0.5', '1e3', '4294967296', '-2147483649'])(
  '%s in a plugin configuration is found where it stands',
  (number) => {
    const withLimit = (text: string): string =>
      bases.hold.replace(
        'prefix: everything_',
        `prefix: everything_\n                                callTimeout: ${text}`,
      );
    const found = examineText(withLimit(number)).filter(({ rule }) => rule === 'scalar');
    expect(found).toMatchObject([{ path: expect.stringMatching(/servers\[0\]\.callTimeout$/) as string }]);
    expect(found[0]?.message).toContain(`is written ${number}, which Envoy reads as the text "${number}"`);
    expect(examineText(withLimit(`"${number}"`)).filter(({ rule }) => rule === 'scalar')).toEqual([]);
  },
);

test('a bootstrap in JSON is read as it is written', () => {
  const value = { share: 0.5, large: 2 ** 40 };
  const text = JSON.stringify({ static_resources: { configuration: { value } } });
  const { document, flaws } = readDocument('envoy.json', Buffer.from(text));
  expect(flaws).toEqual([]);
  expect(document?.root.get('static_resources', 'configuration').value).toEqual({ value });
});

test('a fraction of Envoy itself is read as one', () => {
  const runtime = 'layered_runtime: { layers: [{ name: a, static_layer: { share: 0.5 } }] }';
  const text = `${bases.hold}\n${runtime}\n`;
  expect(examineText(text).filter(({ rule }) => rule === 'scalar')).toEqual([]);
});

test('Kubernetes reads them so too, a plugin configuration of its own does not', () => {
  const plugin = bases['istio pair'].replace('exact: weather', 'exact: no');
  expect(examineText(plugin).find(({ rule }) => rule === 'scalar')?.message).toContain('such as kubectl');
  expect(examineText('servers: [{ name: n, url: http://a/mcp, prefix: no }]\n').map(({ rule }) => rule)).not.toContain(
    'scalar',
  );
});
