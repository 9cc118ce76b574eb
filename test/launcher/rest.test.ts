// `sluice start` with the tools of a REST service: the example, whose tools ask the plugin server, and --rest FILE.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, test, vi } from 'vitest';
import { startDemo } from '../../envoy/demo/run.ts';
import type { ReadyEvent, StartEvent } from '../../cli/start/events.ts';
import { restServer } from '../../cli/start/rest.ts';
import { connectSdk } from '../e2e/clients/sdk.ts';
import { startRestService } from '../e2e/upstreams/rest.ts';
import { clone, envoyBinary, hasEnvoy, runSluice, temporaryFolder } from './support.ts';

vi.setConfig({ testTimeout: 90_000 });

const definitions = (url: string): string => `
server: { name: Shop_1 }
tools:
  - name: get
    args: [{ name: id, type: string, required: true, position: path }]
    requestTemplate: { url: '${url}/items/{id}', method: GET }
    responseTemplate: { body: '{{.name}} costs {{.price}}' }
`;

function launched(engine: string, args: string[]): ReturnType<typeof runSluice> {
  const env = { SLUICE_DATA_DIR: temporaryFolder(), ...(engine === 'envoy' && { ENVOY_PATH: envoyBinary() }) };
  const common = ['start', '--json', '--engine', engine, '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
  return runSluice([...common, ...args], env);
}

async function started(engine: string, args: string[]): Promise<ReadyEvent> {
  const ready = (await launched(engine, args).next()) as ReadyEvent;
  expect(ready).toMatchObject({ event: 'ready' });
  return ready;
}

async function callAt({ mcp }: ReadyEvent, name: string, args: Record<string, string>): Promise<unknown> {
  const { client, close } = await connectSdk(mcp, 'HTTP/1.1');
  onTestFinished(close);
  return client.callTool({ name, arguments: args });
}

describe.each(['envoy', 'embedded'] as const)('--engine %s', (engine) => {
  it.skipIf(engine === 'envoy' && !hasEnvoy)('makes tools of a file with --rest', async () => {
    const service = await startRestService();
    onTestFinished(() => service.stop());
    const file = join(temporaryFolder(), 'shop.yaml');
    writeFileSync(file, definitions(service.url));
    const ready = await started(engine, ['--rest', file]);
    expect(ready.servers).toMatchObject([{ name: 'shop-1', tools: ['shop-1_get'] }]);
    const result = await callAt(ready, 'shop-1_get', { id: '7' });
    expect(result).toMatchObject({ content: [{ type: 'text', text: 'Tea costs 1.5' }] });
  });

  it.skipIf(engine === 'envoy' && !hasEnvoy)('takes edits of the file, refuses bad ones, and goes on', async () => {
    const service = await startRestService();
    onTestFinished(() => service.stop());
    const file = join(temporaryFolder(), 'shop.yaml');
    const first = definitions(service.url);
    writeFileSync(file, first);
    const sluice = launched(engine, ['--rest', file]);
    const ready = (await sluice.next()) as ReadyEvent;
    const edit = async (text: string): Promise<StartEvent> => {
      writeFileSync(file, text);
      return await sluice.next();
    };
    const called = (): Promise<unknown> => callAt(ready, 'shop-1_get', { id: '7' });
    const said = (text: string): object => ({ content: [{ type: 'text', text }] });
    expect(await called()).toMatchObject(said('Tea costs 1.5'));

    expect(await edit(first.replace('costs', 'is sold for'))).toEqual({ event: 'edit', files: [file], state: 'live' });
    expect(await called()).toMatchObject(said('Tea is sold for 1.5'));

    const bad = await edit(first.replace('{{.price}}', '{{nope .price}}'));
    expect(bad).toMatchObject({ event: 'edit', files: [file], state: 'refused' });
    expect(bad).toMatchObject({
      problem: expect.stringMatching(/responseTemplate\.body: tool "get": line 1, column 19: .*nope/) as string,
    });
    const moved = await edit(first.replaceAll(service.url, 'http://127.0.0.1:1'));
    expect(moved).toMatchObject({
      event: 'edit',
      state: 'restart',
      problem: expect.stringContaining('start it again') as string,
    });
    expect(await edit('tools: [')).toMatchObject({ event: 'edit', state: 'refused' });
    expect(await called()).toMatchObject(said('Tea is sold for 1.5'));

    expect(await edit(first)).toMatchObject({ event: 'edit', state: 'live' });
    expect(await called()).toMatchObject(said('Tea costs 1.5'));
  });

  it.skipIf(engine === 'envoy' && !hasEnvoy)('takes edits of --config, in both filters of a pair', async () => {
    const service = await startRestService();
    onTestFinished(() => service.stop());
    const file = join(temporaryFolder(), 'sluice.yaml');
    const configured = (text: string, log: string): string =>
      `hostMode: pair\nlog: ${log}\nservers: [{ name: shop, url: '${service.url}', rest: { tools: [{ name: say, responseTemplate: { body: '${text}' } }] } }]\n`;
    writeFileSync(file, configured('one', 'info'));
    const sluice = launched(engine, ['--config', file]);
    const ready = (await sluice.next()) as ReadyEvent;
    expect(await callAt(ready, 'shop_say', {})).toMatchObject({ content: [{ text: 'one' }] });
    writeFileSync(file, configured('two', 'warn'));
    expect(await sluice.next()).toEqual({ event: 'edit', files: [file], state: 'live' });
    expect(await callAt(ready, 'shop_say', {})).toMatchObject({ content: [{ text: 'two' }] });
  });

  it.skipIf(engine === 'envoy' && !hasEnvoy)('answers calls of the example', async () => {
    const notes = await startDemo('notes', 0);
    onTestFinished(() => notes.stop());
    const example = readFileSync(join(clone, 'examples/rest.yaml'), 'utf8');
    const service = await startRestService();
    onTestFinished(() => service.stop());
    const file = join(temporaryFolder(), 'rest.yaml');
    const moved = example.replace('http://127.0.0.1:3002/mcp', notes.url).replace('http://127.0.0.1:8801', service.url);
    writeFileSync(file, moved);
    const ready = await started(engine, ['--config', file]);
    await callAt(ready, 'modules_get', { name: 'a/b' });
    expect(service.last()).toMatchObject({ method: 'GET', path: '/plugins/a%2Fb' });
  });
});

test.each([
  ['tools: []\n', /no tool has a url/],
  ['- a\n', /expected an object with tools/],
  ['tools: [\n', /:\d+:\d+: /],
  ["tools: [{ requestTemplate: { url: 'http://{{.args.host}}/x' } }]\n", /no tool has a url/],
  [
    'tools: [{ requestTemplate: { url: "http://a/x" } }, { requestTemplate: { url: "http://b/x" } }]\n',
    /http:\/\/a and http:\/\/b/,
  ],
])('a file that says not where the service is: %j', (text, said) => {
  const file = join(temporaryFolder(), 'tools.yaml');
  writeFileSync(file, text);
  expect(() => restServer(file)).toThrow(said);
});
