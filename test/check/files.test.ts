// What a running judge says: the module, and an Envoy where there is one.
import { readFileSync, readdirSync } from 'node:fs';
import { expect, inject, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { checkFiles } from '../../envoy/check/files.ts';
import type { Finding } from '../../envoy/check/finding.ts';
import { type ModuleFile, readModule } from '../../envoy/check/module.ts';
import { envoyJudge } from '../../cli/check/envoy.ts';
import { bases, file, root } from './support.ts';

const built = new URL('build/plugin.wasm', root).pathname;
const module = readModule(built, 'build/plugin.wasm', '0.1.0');
const shipped = (name: string): string => readFileSync(new URL(`envoy/${name}`, root), 'utf8');

async function check(text: string, of: ModuleFile = module): Promise<Finding[]> {
  return checkFiles([file(text)], { module: of });
}

/** `<line>: <path>: <message>`, of errors */
function lines(findings: readonly Finding[]): string[] {
  return findings
    .filter(({ severity }) => severity === 'error')
    .map(({ line, path, message }) => `${line}: ${path}: ${message}`);
}

test.each(readdirSync(new URL('envoy', root)).filter((name) => name.endsWith('.yaml')))(
  '%s is without an error',
  async (name) => {
    expect(lines(await check(shipped(name)))).toEqual([]);
  },
);

test('the resources for Istio, all together, are without a finding', async () => {
  const names = readdirSync(new URL('envoy/istio', root));
  expect(names).toContain('wasmplugin.yaml');
  const files = names.map((name) => file(shipped(`istio/${name}`), name));
  expect(await checkFiles(files, { module })).toEqual([]);
});

test('a configuration of start', async () => {
  const text = `
servers:
  - { name: weather, url: 'http://127.0.0.1:3001/mcp' }
  - name: notes
    url: https://notes.example.com/mcp?a=b
    prefx: n_
  - name: plugin-server
    url: http://127.0.0.1:3003/mcp
    cluster: c
  - url: nowhere
  - 5
limits: { heldBody: 1 MB }
`;
  expect(lines(await check(text))).toEqual([
    '6: servers[1].prefx: is not a member of this section; did you mean "prefix"?',
    '7: servers[2].name: plugin-server is the cluster of the plugin server',
    '7: servers[2]: url and cluster exclude each other',
    '10: servers[3].name: expected lower-case letters, digits and inner hyphens, found nothing',
    expect.stringMatching(/^10: servers\[3\]\.url: "nowhere" is not a URL/),
    '11: servers[4]: expected an object with name and url',
    expect.stringMatching(/^12: limits\.heldBody: must be a size/),
  ]);
});

test('a configuration of live delivery', async () => {
  const servers = 'servers: [{ name: weather, url: "http://127.0.0.1:3001/mcp" }]\n';
  expect(lines(await check(`module: { name: sluice, version: 0.1.0 }\n${servers}`))).toEqual([]);
  expect(lines(await check(`module: { name: sluice, version: 1 }\n${servers}`))).toEqual([
    '1: module.version: expected a version like "0.1.0", a range like ^0.1, or latest, found 1 (put it into quotes)',
  ]);
  expect(lines(await check(`module: sluice\n${servers}`))).toEqual([
    '1: module: expected an object like { name: sluice, version: ^0.1 }',
  ]);
});

test('a plugin configuration inside of a bootstrap, at its place', async () => {
  const text = shipped('envoy.yaml').replace('prefix: notes_', 'prefx: notes_');
  const [found] = (await check(text)).filter(({ rule }) => rule === 'plugin');
  expect(found).toMatchObject({
    severity: 'error',
    message: expect.stringContaining('did you mean "prefix"?') as string,
  });
  expect(found?.path).toMatch(/configuration\.value\.servers\[1\]\.prefx$/);
  expect(text.split('\n')[(found?.line ?? 0) - 1]).toContain('prefx: notes_');
});

test('a plugin configuration as JSON in a text', async () => {
  const value = JSON.stringify({ servers: [{ name: 'notes', clustr: 'notes' }] }).replace(
    '{',
    '{"log":"info","log":"info",',
  );
  const text = shipped('envoy.yaml').replace(
    /google\.protobuf\.Struct\n *value:\n[^]*?(?=\n {18}- name)/,
    () => `google.protobuf.StringValue\n                          value: '${value}'`,
  );
  const found = (await check(text)).filter(({ rule }) => rule === 'plugin');
  expect(found.map(({ path, message }) => `${path.replace(/^.*value\./, '')}: ${message}`)).toEqual([
    'log: is given twice',
    'servers[0].clustr: is not a member of this section; did you mean "cluster"?',
    'servers[0].cluster: is missing',
  ]);
  expect(text.split('\n')[(found[0]?.line ?? 0) - 1]).toContain("value: '{");
});

test('a WasmPlugin', async () => {
  const text = bases['istio hold'].replace('"name": "weather"', '"name": "Weather"');
  const found = (await check(text)).filter(({ rule }) => rule === 'plugin');
  expect(found.map(({ path, message }) => `${path}: ${message}`)).toEqual([
    expect.stringMatching(/value\.servers\[0\]\.name: must be made of a-z/),
  ]);
});

test('code that a bootstrap has inside judges itself', async () => {
  const probe = readFileSync(new URL('build/probe.wasm', root)).toString('base64');
  const text = shipped('envoy.yaml').replace(
    /code:\n *remote:[^]*?(?=\n *environment_variables)/,
    () => `code: { local: { inline_bytes: '${probe}' } }`,
  );
  expect(lines(await check(text))).toEqual([expect.stringContaining('by a module that is not Sluice') as string]);
});

test('a module that is none is said where it would be run', async () => {
  const none = { ...module, bytes: Buffer.from('nothing') };
  const found = await check('servers: [{ name: weather, url: "http://127.0.0.1:3001/mcp" }]', none);
  expect(lines(found)).toEqual([expect.stringContaining('cannot be checked: the module is none') as string]);
});

test.skipIf(inject('envoy') === null)('an Envoy has its say', { timeout: 120_000 }, async () => {
  const askEnvoy = await envoyJudge(built, { ENVOY_PATH: inject('envoy')?.path });
  const say = async (text: string): Promise<string[]> =>
    lines((await checkFiles([file(text)], { module, askEnvoy })).filter(({ rule }) => rule === 'envoy'));
  expect(await say(shipped('envoy.yaml'))).toEqual([]);
  const withKey = parse(bases.hold.replaceAll('d1'.repeat(32), module.digest)) as object;
  expect(await say(stringify(withKey))).toEqual([]); // the key is stood in for
  // What the rules `environment` and `scalar` say of it, Envoy says too.
  const twice = shipped('envoy.yaml').replace('[SLUICE_KEY_1]', '[SLUICE_KEY_1, SLUICE_KEY_1]');
  expect(await say(twice)).toEqual([expect.stringContaining('SLUICE_KEY_1 is duplicated') as string]);
  expect(await say(shipped('envoy.yaml').replace('exact: notes', 'exact: no'))).toHaveLength(1);
  expect(await say(shipped('envoy.yaml').replace('stat_prefix: mcp', 'stat_prefx: mcp'))).toEqual([
    expect.stringMatching(/Envoy 1\.\d+\.\d+: Envoy refuses its configuration: .*stat_prefx/) as string,
  ]);
});
