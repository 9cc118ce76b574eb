// `sluice check --as`: what a caller may see and use, and that it is what the gateway does.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../../cli/main.ts';
import { type Asker, type Decision, type Refusal, explain } from '../../envoy/check/explain.ts';
import { ModuleThread } from '../../envoy/check/isolation.ts';
import type { Json } from '../core/struct.ts';
import { TestGateway } from '../core/test-gateway.ts';
import { root } from './support.ts';

const module = readFileSync(new URL('build/plugin.wasm', root));
const thread = new ModuleThread();
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-as-'));
});

afterAll(async () => {
  await thread.close();
  rmSync(folder, { recursive: true });
});

const who = { iss: 'https://id.example.com', sub: 'ada' };
const servers = [
  { name: 'weather', cluster: 'w', tools: { deny: ['secret'] } },
  { name: 'orders', cluster: 'o', ownedUris: ['file:///orders/*'] },
];
const virtualServers = [{ name: 'team-a/reader', tools: ['*_get'] }];

async function ask(configuration: object, asker: Partial<Asker> = {}): Promise<readonly Decision[] | Refusal> {
  const text = JSON.stringify({ servers, virtualServers, identity: { jwt: 'jwt' }, ...configuration });
  const found = await explain(thread, module, text, { claims: who, virtualServer: '', names: undefined, ...asker });
  return 'refused' in found ? found : found.decisions;
}

describe('what decides', () => {
  const names = { tools: ['weather_get', 'weather_secret', 'orders_delete', 'other'] };
  const tool = { noun: 'tools' };

  test('is nothing but the server where there are no rules', async () => {
    expect(await ask({}, { names })).toEqual([
      { ...tool, name: 'weather_get', decision: 'allowed', by: 'nothing' },
      { ...tool, name: 'weather_secret', decision: 'hidden', by: 'server rules' },
      { ...tool, name: 'orders_delete', decision: 'allowed', by: 'nothing' },
      { ...tool, name: 'other', decision: 'hidden', by: 'server' },
    ]);
  });

  test('is the definition of a tool where rules on annotations or pins ask for it, as far as that can matter', async () => {
    const rules = [
      { name: 'readers', tools: ['weather_*'], annotations: { readOnlyHint: true } },
      { name: 'no-deletes', effect: 'deny', tools: ['*_delete'] },
    ];
    const trusted = [{ ...servers[0], trusted: true }, servers[1]];
    const asked = { names: { tools: ['weather_get', 'orders_get', 'orders_delete'] } };
    const ofOrders = [
      { name: 'orders_get', decision: 'hidden', by: 'default' },
      { name: 'orders_delete', decision: 'hidden', by: 'rule', rule: 'no-deletes' },
    ];
    expect(await ask({ servers: trusted, authorization: { rules } }, asked)).toMatchObject([
      { name: 'weather_get', decision: 'depends', by: 'definition' },
      ...ofOrders,
    ]);
    // Nobody vouches for what the server says, so it cannot let anybody use the tool.
    expect(await ask({ authorization: { rules } }, asked)).toMatchObject([
      { name: 'weather_get', decision: 'hidden', by: 'default' },
      ...ofOrders,
    ]);
    const pins = { tools: { weather_get: `sha256:${'0'.repeat(64)}` } };
    expect(await ask({ pins }, asked)).toMatchObject([
      { name: 'weather_get', decision: 'depends', by: 'definition' },
      { name: 'orders_get', decision: 'hidden', by: 'pins' },
      { name: 'orders_delete', decision: 'hidden', by: 'pins' },
    ]);
  });

  test('is the virtual server before the rules', async () => {
    const authorization = { rules: [{ name: 'all' }] };
    expect(await ask({ authorization }, { names, virtualServer: 'team-a/reader' })).toMatchObject([
      { decision: 'allowed', by: 'rule', rule: 'all', effect: 'allow' },
      { decision: 'hidden', by: 'server rules' },
      { decision: 'hidden', by: 'virtual server' },
      { decision: 'hidden', by: 'server' },
    ]);
  });

  test('is the rule that wins, or the default', async () => {
    const rules = [
      { name: 'allows', servers: ['weather', 'orders'] },
      { name: 'steps', effect: 'stepUp', scopes: ['a', 'b'], tools: ['orders_delete'] },
      { name: 'denies', effect: 'deny', tools: ['weather_get'], claims: [{ path: 'sub', equals: 'ada' }] },
    ];
    expect(await ask({ authorization: { rules } }, { names })).toMatchObject([
      { decision: 'hidden', by: 'rule', rule: 'denies', effect: 'deny' },
      { decision: 'hidden', by: 'server rules' },
      { decision: 'stepUp', by: 'rule', rule: 'steps', effect: 'stepUp', scopes: 'a b' },
      { decision: 'hidden', by: 'server' },
    ]);
    expect(await ask({ authorization: { rules: [] } }, { names })).toMatchObject([
      { decision: 'hidden', by: 'default' },
      {},
      {},
      {},
    ]);
  });

  test('may be the arguments of a call as well', async () => {
    const rules = [{ name: 'r', tools: ['weather_*'], arguments: [{ pointer: '/city', equals: 'Bern' }] }];
    expect(await ask({ authorization: { rules } }, { names: { tools: ['weather_get'] } })).toEqual([
      { ...tool, name: 'weather_get', decision: 'allowed', by: 'rule', rule: 'r', effect: 'allow', arguments: true },
    ]);
  });

  test('goes by the names that clients see', async () => {
    const overrides = [
      { tool: 'weather_get', name: 'forecast' },
      { tool: 'orders_*', name: '*' },
    ];
    const authorization = { rules: [{ name: 'r', tools: ['weather_get', 'orders_delete'] }] };
    const shown = { ...tool, decision: 'allowed', by: 'rule', rule: 'r', effect: 'allow' };
    expect(await ask({ overrides, authorization })).toEqual([
      { ...shown, name: 'forecast' },
      { ...shown, name: 'delete' },
    ]);
    expect(await ask({ overrides, authorization }, { names: { tools: ['weather_get', 'delete'] } })).toEqual([
      { ...tool, name: 'weather_get', decision: 'hidden', by: 'override' },
      { ...shown, name: 'delete' },
    ]);
  });

  test('may be what a search leaves out', async () => {
    const toolSearch = { enabled: true, exclude: ['weather_*'], pinned: ['weather_set'] };
    expect(await ask({ toolSearch }, { names: { tools: ['weather_get', 'weather_set'] } })).toEqual([
      { ...tool, name: 'weather_get', decision: 'hidden', by: 'tool search' },
      { ...tool, name: 'weather_set', decision: 'allowed', by: 'nothing' },
    ]);
  });

  test('holds for resources by the URIs that clients see', async () => {
    const rules = [{ name: 'r', resources: ['file:///orders/*', 'note://weather/*'] }];
    const resources = ['file:///orders/1', 'note://weather/1', 'note://orders/1', 'https://example.com'];
    expect(await ask({ authorization: { rules } }, { names: { resources } })).toMatchObject([
      { name: 'file:///orders/1', decision: 'allowed', rule: 'r' },
      { name: 'note://weather/1', decision: 'allowed', rule: 'r' },
      { name: 'note://orders/1', decision: 'hidden', by: 'default' },
      { name: 'https://example.com', decision: 'hidden', by: 'server' },
    ]);
  });

  test('is asked of the names that the configuration has itself, each once', async () => {
    const authorization = { rules: [{ name: 'r', tools: ['weather_get', 'weather_*'], prompts: ['orders_ask'] }] };
    const found = await ask({ authorization, virtualServers: [{ name: 'a/b', tools: ['weather_get', 'orders_put'] }] });
    expect(found).toMatchObject([
      { name: 'weather_get' },
      { name: 'orders_put' },
      { noun: 'prompts', name: 'orders_ask' },
    ]);
  });

  test('is for somebody, at a place that there is', async () => {
    expect(await ask({}, { claims: { sub: 'ada' } })).toEqual({ refused: 'unauthenticated' });
    expect(await ask({}, { claims: { ...who, sub: 5 } })).toEqual({ refused: 'unauthenticated' });
    expect(await ask({}, { claims: undefined })).toEqual({ refused: 'unauthenticated' });
    expect(await ask({ root: 'closed' })).toEqual({ refused: 'unknown_virtual_server' });
    expect(await ask({}, { virtualServer: 'team-a/nobody' })).toEqual({ refused: 'unknown_virtual_server' });
  });

  test('is nothing where the list is for another subject', async () => {
    const asked = { names: { tools: ['weather_get'] } };
    const authorized = { 'allowed-capabilities': '{"tools":{"weather":["get"]}}', user: 'ada' };
    const configuration = { allowedCapabilities: { subject: 'user' } };
    expect(await ask(configuration, { ...asked, authorized: { ...authorized, user: 'eve' } })).toEqual({
      refused: 'other_subject',
    });
    expect(await ask(configuration, { ...asked, authorized })).toMatchObject([{ decision: 'allowed' }]);
  });

  test('is what the header x-mcp-authorized lists, where it is read', async () => {
    const allowedCapabilities = { servers: { weather: 'ns/weather' } };
    const asked = { names: { tools: ['weather_get', 'weather_set', 'orders_get'] } };
    const authorized = { 'allowed-capabilities': '{"tools":{"ns/weather":["get"],"orders":[]}}' };
    const by = 'allowed capabilities';
    expect(await ask({ allowedCapabilities }, { ...asked, authorized })).toMatchObject([
      { name: 'weather_get', decision: 'allowed', by: 'nothing' },
      { name: 'weather_set', decision: 'hidden', by },
      { name: 'orders_get', decision: 'hidden', by },
    ]);
    expect(await ask({ allowedCapabilities }, asked)).toMatchObject(asked.names.tools.map((name) => ({ name, by })));
    const lenient = { allowedCapabilities: { absent: 'allow' } };
    expect(await ask(lenient, asked)).toMatchObject(asked.names.tools.map((name) => ({ name, by: 'nothing' })));
  });

  test('is told of more names than the thread takes lines', async () => {
    const tools = Array.from({ length: 3000 }, (_, index) => `weather_${index}`);
    expect(await ask({}, { names: { tools } })).toHaveLength(3000);
  });

  test('is not told by another module, or of a configuration with errors', async () => {
    await expect(ask({ servers: [{ name: 'a' }] })).rejects.toThrow('explains nothing');
  });
});

test('what is told is what the gateway does', async () => {
  const gateway = new TestGateway();
  const tools = { weather: ['get', 'set'], orders: ['get', 'delete'] };
  const all = ['weather_get', 'weather_set', 'orders_get', 'orders_delete'];
  const rule = fc.record(
    {
      effect: fc.constantFrom('allow', 'deny', 'stepUp'),
      claims: fc.constantFrom([], [{ path: 'groups', contains: 'dev' }]),
      scopes: fc.constantFrom(['x'], ['y'], ['x', 'y']),
      servers: fc.subarray(['weather', 'orders'], { minLength: 1 }),
      virtualServers: fc.constant(['team-a/reader']),
      tools: fc.subarray(['*', '*_get', 'orders_*', 'weather_set'], { minLength: 1 }),
    },
    { requiredKeys: ['effect', 'claims', 'scopes'] },
  );
  const setting = fc.record({
    default: fc.constantFrom('allow', 'deny'),
    rules: fc.array(rule, { maxLength: 5 }).map((rules) => rules.map((one, index) => ({ name: `r${index}`, ...one }))),
    claims: fc.constantFrom<Record<string, Json>>(
      {},
      { groups: ['dev'] },
      { scope: 'x' },
      { groups: 'dev', scope: 'x y' },
    ),
    virtualServer: fc.constantFrom('', 'team-a/reader'),
  });
  await fc.assert(
    fc.asyncProperty(setting, async ({ claims, virtualServer, ...authorization }) => {
      const configuration = { servers: servers.map(({ name, cluster }) => ({ name, cluster })), authorization };
      const token = { ...who, ...claims };
      const told = await ask(configuration, { claims: token, virtualServer, names: { tools: all } });
      expect(gateway.configure({ ...configuration, virtualServers, identity: { jwt: 'jwt' } })).toEqual([]);
      gateway.servers = tools;
      gateway.token = token;
      const path = virtualServer === '' ? '/mcp' : `/mcp/${virtualServer}`;
      const session = gateway.open({ path });
      for (const { name, decision } of told as Decision[]) {
        const answer = gateway.call(name, { path, session });
        const done = 'server' in answer ? 'allowed' : answer.data['reason'] === 'forbidden' ? 'stepUp' : 'hidden';
        expect({ name, decision: done }).toEqual({ name, decision });
      }
    }),
    { numRuns: 60 },
  );
});

describe('the command', () => {
  async function check(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    const said = { out: '', err: '' };
    const code = await main(['check', ...args], {
      out: (text) => void (said.out += text),
      err: (text) => void (said.err += text),
      interactive: false,
      env: { PATH: '' },
    });
    return { code, ...said };
  }
  function file(name: string, content: unknown): string {
    const path = join(folder, name);
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  }
  const sessions = { keys: [{ id: 1, env: 'KEY' }] };
  const own = servers.map(({ name }) => ({ name, url: `http://127.0.0.1:3001/${name}` }));
  const auth = {
    issuers: [{ issuer: 'https://id.example.com', jwks: { url: 'https://id.example.com/k', cluster: 'k' } }],
  };
  const authorization = { rules: [{ name: 'r', tools: ['weather_*'] }] };
  const configuration = (): string =>
    file('sluice.yaml', {
      servers: own,
      sessions,
      root: 'a/b',
      virtualServers: [{ name: 'a/b', tools: ['*'] }],
      auth,
      authorization,
    });

  test('shows the endpoint and each virtual server, from a list as it came', async () => {
    const names = file('list.json', {
      jsonrpc: '2.0',
      id: 1,
      result: { tools: [{ name: 'weather_get', inputSchema: {} }] },
    });
    const { code, out, err } = await check('--as', file('c.json', who), '--names', names, configuration());
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.replaceAll(`${folder}/`, '').split('\n').slice(-5)).toEqual([
      'sluice.yaml: /mcp: this caller',
      '    may use               tool weather_get: rule "r" (allow)',
      'sluice.yaml: /mcp/a/b: this caller',
      '    may use               tool weather_get: rule "r" (allow)',
      '',
    ]);
  });

  test('tells it as JSON', async () => {
    const args = ['--json', '--virtual-server', 'a/b', '--names', file('names', 'weather_get\nx\n')];
    const { out } = await check('--as', file('c.json', who), ...args, configuration());
    const events = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string });
    const place = { file: join(folder, 'sluice.yaml'), endpoint: '/mcp/a/b' };
    expect(events.filter(({ event }) => event !== 'checked' && event !== 'problem')).toEqual([
      { event: 'caller', ...place, names: 2 },
      {
        event: 'decision',
        ...place,
        noun: 'tools',
        name: 'weather_get',
        decision: 'allowed',
        by: 'rule',
        rule: 'r',
        effect: 'allow',
      },
      { event: 'decision', ...place, noun: 'tools', name: 'x', decision: 'hidden', by: 'server' },
    ]);
  });

  test('shows the name of the credential that each server is sent, and no value', async () => {
    const chosen = (name: string, credentials: object): object => ({
      name,
      url: `http://127.0.0.1:3001/${name}`,
      credentials: { type: 'choice', header: 'x-key', ...credentials },
    });
    const path = file('chosen.yaml', {
      servers: [
        chosen('team', { claim: 'groups', options: [{ values: ['ops', 'dev'], env: 'TEAM_KEY' }] }),
        chosen('view', { options: [{ virtualServers: ['a/b'], env: 'B_KEY' }], otherwise: { env: 'REST_KEY' } }),
        chosen('plan', { trustedHeader: 'x-plan', options: [{ values: ['gold'], env: 'GOLD_KEY' }] }),
      ],
      sessions,
      identity: { jwt: 'jwt' },
      virtualServers: [{ name: 'a/b', tools: ['team_*', 'view_*'] }],
    });
    const told = async (groups: Json): Promise<string[]> => {
      const { out } = await check('--as', file('c.json', { ...who, groups }), path);
      return out.split('\n').filter((line) => /^ {4}has |: this caller|nothing is named/.test(line));
    };
    expect(
      (await told(['cooks', 'dev'])).map((line) => line.trim().replace(/^.*chosen.yaml: |:.*named.*$/g, '')),
    ).toEqual([
      '/mcp',
      'has the credential    server team: TEAM_KEY',
      'has the credential    server view: REST_KEY',
      'has a credential      server plan: the header x-plan chooses it',
      '/mcp/a/b',
      'has the credential    server team: TEAM_KEY',
      'has the credential    server view: B_KEY',
    ]);
    expect((await told('none'))[1]).toContain('has no credential     server team: no option of credentials');
  });

  test('shows what the header x-mcp-authorized lists', async () => {
    const path = file('listed.yaml', {
      servers: own,
      sessions,
      allowedCapabilities: { claim: 'may', absent: 'hide' },
    });
    const names = file('names', `${own[0]?.name ?? ''}_x\n`);
    const listed = file('may.json', { may: JSON.stringify({ tools: { [own[0]?.name ?? '']: ['x'] } }) });
    const args = ['--as', file('c.json', who), '--names', names];
    expect((await check(...args, '--authorized', listed, path)).out).toContain('may use');
    expect((await check(...args, path)).out).toContain('the header x-mcp-authorized does not list it');
  });

  test('says who is nobody', async () => {
    const { out } = await check('--as', file('c.json', { sub: 'ada' }), configuration());
    expect(out).toContain('/mcp: this caller is unauthenticated: the claims have no subject and issuer');
  });

  test('shows nothing beside an error', async () => {
    const { code, out } = await check(
      '--as',
      file('c.json', who),
      file('bad.yaml', { servers: own, sessions, lgo: 'info' }),
    );
    expect(code).toBe(1);
    expect(out).not.toContain('this caller');
  });

  test.each<[string, () => string[], string]>([
    ['claims that are not there', () => ['--as', join(folder, 'no.json')], '--as: there is no '],
    ['claims that are no object', () => ['--as', file('c.json', '[]')], 'is not the claims of a token'],
    ['claims that are no JSON', () => ['--as', file('c.json', 'sub: ada')], 'cannot be read: '],
    [
      'names that are no list',
      () => ['--as', file('c.json', who), '--names', file('n', '{"tools":5}')],
      'is neither the result',
    ],
    ['a list without a caller', () => ['--authorized', file('n', '{}')], '--authorized goes with --as'],
    [
      'a list that is no object',
      () => ['--as', file('c.json', who), '--authorized', file('n', '[]')],
      '--authorized: ',
    ],
    ['names without a caller', () => ['--names', file('n', 'x')], '--names goes with --as'],
    ['a virtual server without a caller', () => ['--virtual-server', 'a/b'], '--virtual-server goes with --as'],
    [
      'no plugin configuration',
      () => ['--as', file('c.json', who), file('k.yaml', '{ apiVersion: v1, kind: ConfigMap, metadata: { name: x } }')],
      'no file has a plugin',
    ],
  ])('refuses %s', async (_, args, why) => {
    const { code, err } = await check(
      ...args(),
      ...(args().at(-1)?.endsWith('k.yaml') === true ? [] : [configuration()]),
    );
    expect(code).toBe(2);
    expect(err).toContain(why);
  });
});
