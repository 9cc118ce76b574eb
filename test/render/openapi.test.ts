// `sluice render --from openapi`: what docs/openapi.md promises, and descriptions of every kind.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { main } from '../../cli/main.ts';
import { fromOpenApi } from '../../cli/render/openapi/tools.ts';
import { restServer } from '../../cli/start/rest.ts';
import { message } from '../e2e/clients/answers.ts';
import { callMessage, openSession } from '../e2e/clients/session.ts';
import { startRestService } from '../e2e/upstreams/rest.ts';
import { startHost } from '../filter/gateway.ts';
import { runSluice, temporaryFolder } from '../launcher/support.ts';

const page = readFileSync(new URL('../../docs/openapi.md', import.meta.url), 'utf8');
const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map(([, block = '']) => block);
const [description = '', made = ''] = blocks('yaml');

type Made = Awaited<ReturnType<typeof fromOpenApi>>;

async function from(root: unknown, wishes: { url?: string; name?: string } = {}): Promise<Made> {
  const bytes = Buffer.from(typeof root === 'string' ? root : JSON.stringify(root));
  return fromOpenApi(bytes, { url: undefined, name: undefined, ...wishes });
}

/** A description with one operation. */
function of(operation: object, more: object = {}, openapi = '3.0.3'): object {
  const paths = { '/x/{id}': { post: { parameters: [idParameter], ...operation } } };
  return { openapi, info: { title: 'X' }, servers: [{ url: 'https://x.example/v1/' }], paths, ...more };
}

const idParameter = { name: 'id', in: 'path', required: true, schema: { type: 'integer' } };
const idArgument = { name: 'id', type: 'integer', required: true, position: 'path' };

interface Tool {
  readonly name: string;
  readonly args: readonly { readonly name: string }[];
  readonly requestTemplate: object;
}
const toolOf = ({ definitions }: Made): Tool => definitions.tools[0] as unknown as Tool;

/** Whether the module takes the definitions as they are. */
function isTaken({ definitions }: Made): boolean {
  const { server, tools } = definitions;
  const rest = JSON.parse(JSON.stringify({ ...server, tools }).replace(/\{"env":"[^"]+"\}/g, '"secret"')) as object;
  startHost({ insecureInline: true, servers: [{ name: 'x', cluster: 'x', rest }] }); // throws what it is refused for
  return true;
}

test('parameters of one name, one of them in the path, are two arguments', async () => {
  const text = { schema: { type: 'string' } };
  const operation = { parameters: [idParameter, { name: 'id', in: 'query', ...text }] };
  const made = await from(of(operation));
  expect(made.leftOut).toEqual([]);
  expect(toolOf(made)).toMatchObject({
    args: [
      { ...idArgument, name: 'id_in_path' },
      { name: 'id', type: 'string', position: 'query' },
    ],
    requestTemplate: { url: 'https://x.example/v1/x/{id_in_path}' },
  });
  expect(isTaken(made)).toBe(true);
});

test('two parameters of one name outside the path are told apart by nothing', async () => {
  const text = { schema: { type: 'string' } };
  const parameters = [idParameter, { name: 'a', in: 'query', ...text }, { name: 'a', in: 'header', ...text }];
  await expect(from(of({ parameters }))).rejects.toMatchObject({
    details: ['paths./x/{id}.post: has two parameters that are called a'],
  });
});

test('prints what the page shows', async () => {
  const file = join(temporaryFolder(), 'shop.yaml');
  writeFileSync(file, description);
  const said = { out: '', err: '' };
  const io = {
    out: (text: string) => void (said.out += text),
    err: (text: string) => void (said.err += text),
    interactive: false,
    env: {},
  };
  expect(await main(['render', '--from', 'openapi', file], io)).toBe(0);
  expect(parse(said.out)).toEqual(parse(made));
  expect(said.err).toBe(blocks('text')[0]);
  expect(blocks('sh')).toEqual([
    'npx sluice render --from openapi shop.yaml > tools.yaml\n',
    'SHOP_KEY=secret npm start -- --rest tools.yaml\n',
  ]);
});

test('what it prints runs, and calls the service', async () => {
  const service = await startRestService();
  onTestFinished(() => service.stop());
  const folder = temporaryFolder();
  const file = join(folder, 'tools.yaml');
  writeFileSync(file, made.replaceAll('http://127.0.0.1:3003/v1', service.url));
  expect(restServer(file)).toMatchObject({ name: 'shop' });
  const args = ['start', '--json', '--engine', 'embedded', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
  const sluice = runSluice([...args, '--rest', file], { SLUICE_DATA_DIR: folder, SHOP_KEY: 'secret' });
  const ready = await sluice.next();
  if (ready.event !== 'ready') throw new Error(JSON.stringify(ready));
  const session = await openSession(ready.mcp);
  const result = message(await session.post(callMessage('"shop_addItem"', '{"name":"Tea","price":1.50}'))).result;
  expect(result).toMatchObject({ isError: false });
  expect(service.last()).toMatchObject({ method: 'POST', path: '/items', body: '{"name":"Tea","price":1.50}' });
  expect(service.last().headers).toMatchObject({ 'x-api-key': 'secret' });
}, 90_000);

describe('parameters', () => {
  const parameter = async (more: object, openapi = '3.0.3'): Promise<unknown> => {
    const all = await from(of({ parameters: [idParameter, { name: 'p', in: 'query', ...more }] }, {}, openapi));
    expect(isTaken(all)).toBe(true);
    return { arg: toolOf(all).args.find(({ name }) => name === 'p'), leftOut: all.leftOut.map(({ why }) => why) };
  };
  const list = { type: 'array', items: { type: 'string', enum: ['a', 'b'] } };
  test.each<[string, object, object | undefined, RegExp[]]>([
    ['required', { required: true, schema: { type: 'string' } }, { type: 'string', required: true }, []],
    ['nullable', { schema: { type: 'string', nullable: true, enum: ['a'] } }, { type: 'string', enum: ['a'] }, []],
    [
      'one value or null',
      { schema: { anyOf: [{ type: 'string', minLength: 1 }, { type: 'null' }], default: null } },
      { type: 'string', minLength: 1, anyOf: undefined, default: undefined },
      [],
    ],
    [
      'a list or null',
      { schema: { anyOf: [list, { type: 'null' }] } },
      { type: 'string', enum: ['a', 'b'], anyOf: undefined },
      [/takes one value/],
    ],
    [
      'one value or a list',
      { schema: { oneOf: [{ type: 'integer' }, list] } },
      { type: 'integer', oneOf: undefined },
      [/one of its forms is a list/],
    ],
    [
      'exclusive bounds of 3.0',
      { schema: { type: 'number', minimum: 1, exclusiveMinimum: true } },
      { exclusiveMinimum: 1 },
      [],
    ],
    ['JSON content', { content: { 'application/json': { schema: { type: 'object' } } } }, { type: 'object' }, []],
    [
      'a list with commas',
      { explode: false, schema: list },
      { type: 'string', description: /separated by commas\. Values: a, b\./ },
      [],
    ],
    [
      'a list with bars',
      { style: 'pipeDelimited', explode: false, schema: list },
      { description: /separated by bars/ },
      [],
    ],
    ['a list of parameters', { schema: list }, { type: 'string', enum: ['a', 'b'] }, [/takes one value/]],
    ['an object', { style: 'deepObject', schema: { type: 'object' } }, undefined, [/deepObject cannot be sent/]],
    ['a label', { style: 'label', schema: { type: 'string' } }, undefined, [/label cannot be sent/]],
    [
      'keywords that nothing is made of',
      { schema: { type: 'string', not: { const: 'a' }, example: 'b', 'x-note': 'c' } },
      { type: 'string', not: undefined },
      [/^not is not taken over$/],
    ],
    [
      'a number that no double holds',
      { schema: { type: 'integer', maximum: 2 ** 63, default: 2 ** 60 } },
      { type: 'integer' },
      [/default has a number of more digits/],
    ],
    ['no parameter', { in: 'header', name: 'Accept' }, undefined, []],
    ['no parameter, though it is required', { in: 'header', name: 'Authorization', required: true }, undefined, []],
    ["the gateway's header", { in: 'header', name: 'Host', schema: {} }, undefined, [/Host is the gateway's/]],
    ['an unknown place', { in: 'body', schema: {} }, undefined, [/in body cannot be sent/]],
  ])('%s', async (_, more, expected, said) => {
    const { arg, leftOut } = (await parameter(more)) as { arg: Record<string, unknown> | undefined; leftOut: string[] };
    if (expected === undefined) expect(arg).toBeUndefined();
    for (const [member, value] of Object.entries(expected ?? {})) {
      if (value instanceof RegExp) expect(arg?.[member]).toMatch(value);
      else expect(arg?.[member]).toEqual(value);
    }
    expect(leftOut).toEqual(said.map((pattern) => expect.stringMatching(pattern) as string));
  });

  test('those of an operation replace those of its path', async () => {
    const paths = {
      '/x/{id}': {
        parameters: [idParameter, { name: 'v', in: 'query', schema: { type: 'string' } }],
        get: { parameters: [{ name: 'v', in: 'query', schema: { type: 'integer' } }] },
      },
    };
    const all = await from({ openapi: '3.1.0', servers: [{ url: 'http://x.example' }], paths });
    expect(toolOf(all).args).toEqual([idArgument, { name: 'v', type: 'integer', position: 'query' }]);
    expect(toolOf(all).name).toBe('get_x_id');
  });

  test('one of its path that cannot be sent stands in no way of the one that replaces it', async () => {
    const filter = { name: 'filter', in: 'query', required: true };
    const paths = {
      '/x': {
        parameters: [{ ...filter, style: 'deepObject', schema: { type: 'object' } }],
        get: { parameters: [{ ...filter, schema: { type: 'string' } }] },
      },
    };
    const all = await from({ openapi: '3.1.0', servers: [{ url: 'http://x.example' }], paths });
    expect(toolOf(all).args).toEqual([{ name: 'filter', type: 'string', required: true, position: 'query' }]);
    expect(all.leftOut).toEqual([]);
  });
});

test('members go the way that they are for, and a description beside a reference says more than the one in it', async () => {
  const schema = {
    type: 'object',
    additionalProperties: false,
    required: ['id', 'name', 'password'],
    properties: {
      id: { type: 'string', readOnly: true },
      name: { $ref: '#/components/schemas/Name', description: 'What it is called' },
      password: { type: 'string', writeOnly: true },
    },
  };
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/User' } } };
  const operation = { requestBody: { required: true, content }, responses: { 200: { description: 'Done', content } } };
  const schemas = { User: schema, Name: { type: 'string', description: 'A name' } };
  const all = await from(
    of({ ...operation, parameters: [{ ...idParameter, name: 'id' }] }, { components: { schemas } }),
  );
  const name = { type: 'string', description: 'What it is called' };
  expect(toolOf(all).args.slice(1)).toEqual([
    { name: 'name', ...name, required: true, position: 'body' },
    { name: 'password', type: 'string', required: true, position: 'body' },
  ]);
  expect(toolOf(all)).toHaveProperty('outputSchema', {
    type: 'object',
    properties: { id: { type: 'string' }, name },
    required: ['id', 'name'],
    additionalProperties: false,
  });
});

describe('bodies', () => {
  const body = async (requestBody: object): Promise<Made> => from(of({ requestBody }));
  const json = (schema: object, more: object = {}): object => ({
    content: { 'application/json': { schema } },
    ...more,
  });
  const name = { name: { type: 'string' } };

  test.each<[string, object, object[], object]>([
    [
      'members',
      json({ type: 'object', properties: name, required: ['name'] }, { required: true }),
      [{ name: 'name', type: 'string', required: true, position: 'body' }],
      { argsToJsonBody: true },
    ],
    [
      'members of all parts',
      json({ allOf: [{ properties: name }, { properties: { n: { type: 'integer' } } }] }),
      [
        { name: 'name', type: 'string', position: 'body' },
        { name: 'n', type: 'integer', position: 'body' },
      ],
      {},
    ],
    [
      'members of a part that the whole requires, but for those that are in no request',
      json(
        {
          allOf: [{ properties: { ...name, id: { type: 'string', readOnly: true } } }, { properties: { n: {} } }],
          required: ['name', 'id', 'n'],
        },
        { required: true },
      ),
      [
        { name: 'name', type: 'string', required: true, position: 'body' },
        { name: 'n', required: true, position: 'body' },
      ],
      { argsToJsonBody: true },
    ],
    [
      'a list',
      json({ type: 'array', items: {} }, { required: true }),
      [{ name: 'body', type: 'array', items: {}, description: 'The whole body of the request.', required: true }],
      { body: '{{.args.body}}' },
    ],
    [
      'a member that is called like a parameter',
      json({ properties: { id: {} } }),
      [{ name: 'body', type: 'object', properties: { id: {} }, description: 'The whole body of the request.' }],
      { body: '{{.args.body}}' },
    ],
    [
      'a form',
      { content: { 'application/x-www-form-urlencoded': { schema: { properties: name } } } },
      [{ name: 'name', type: 'string', position: 'body' }],
      { headers: [{ key: 'Content-Type', value: 'application/x-www-form-urlencoded' }] },
    ],
    [
      'a form with a list, and with an object that is sent member by member',
      {
        content: {
          'application/x-www-form-urlencoded; charset=utf-8': {
            schema: {
              properties: {
                tags: { type: 'array', items: { type: 'string' } },
                ids: { type: 'array', items: { type: 'integer' } },
                meta: { type: 'object' },
                deep: { type: 'object' },
              },
            },
            encoding: { ids: { explode: false }, deep: { style: 'deepObject' } },
          },
        },
      },
      [
        { name: 'tags', type: 'string', position: 'body' },
        { name: 'ids', type: 'string', description: 'Several values are separated by commas.', position: 'body' },
        { name: 'meta', type: 'object', position: 'body' },
      ],
      { headers: [{ key: 'Content-Type', value: 'application/x-www-form-urlencoded; charset=utf-8' }] },
    ],
    [
      'anything, as Kubernetes says it',
      { content: { '*/*': { schema: { type: 'object', properties: name } } }, required: true },
      [{ name: 'name', type: 'string', position: 'body' }],
      { argsToJsonBody: true },
    ],
    [
      'one of several objects, or a text',
      json({ oneOf: [{ properties: name }, { type: 'array', items: {} }, { type: 'string' }] }, { required: true }),
      [
        {
          name: 'body',
          description: 'The whole body of the request.',
          oneOf: [{ properties: name }, { type: 'array', items: {} }],
          required: true,
        },
      ],
      { body: '{{.args.body}}' },
    ],
    [
      'JSON of another kind',
      { content: { 'application/vnd.x+json': { schema: { properties: name } } } },
      [{ name: 'name', type: 'string', position: 'body' }],
      { headers: [{ key: 'Content-Type', value: 'application/vnd.x+json' }] },
    ],
  ])('%s', async (_, requestBody, args, request) => {
    const all = await body(requestBody);
    expect(toolOf(all).args).toEqual([idArgument, ...args]);
    expect(toolOf(all).requestTemplate).toEqual({ url: 'https://x.example/v1/x/{id}', method: 'POST', ...request });
    expect(isTaken(all)).toBe(true);
  });

  test('of other types are left out, with the operation where it needs one', async () => {
    const content = { 'multipart/form-data': {} };
    expect((await body({ content })).leftOut).toEqual([
      { place: 'paths./x/{id}.post.requestBody', why: 'a body of multipart/form-data cannot be sent' },
    ]);
    await expect(body({ content, required: true })).rejects.toThrow('no operation that could be a tool');
  });
});

describe('answers', () => {
  const json = (schema: object): object => ({ 'application/json': { schema } });
  const object = { type: 'object', properties: { a: { type: 'string' } } };
  const made = async (responses: object): Promise<{ output: unknown; headers: unknown; said: string[] }> => {
    const all = await from(of({ responses }));
    expect(isTaken(all)).toBe(true);
    const { outputSchema, requestTemplate } = toolOf(all) as Tool & { outputSchema?: object };
    const headers = (requestTemplate as { headers?: object[] }).headers;
    return { output: outputSchema, headers, said: all.leftOut.map(({ why }) => why) };
  };

  test('that are the same object each time are the schema of the result', async () => {
    const both = { 200: { content: json(object) }, 201: { content: json(object) } };
    expect(await made(both)).toEqual({ output: object, headers: undefined, said: [] });
  });

  test.each<[string, object]>([
    ['nothing', { 200: { content: json(object) }, 204: { description: 'Done' } }],
    ['another object', { 200: { content: json(object) }, 202: { content: json({ type: 'object' }) } }],
    ['a list', { 200: { content: json(object) }, 203: { content: json({ type: 'array' }) } }],
  ])('of which one is %s have no schema: clients refuse a result that does not fit it', async (_, responses) => {
    expect(await made(responses)).toEqual({
      output: undefined,
      headers: undefined,
      said: [expect.stringContaining('not all that are good are the same object')],
    });
  });

  test('that there are in several types are asked for as JSON', async () => {
    const content = { 'application/xml': { schema: object }, ...json(object) };
    expect(await made({ 200: { content } })).toEqual({
      output: object,
      headers: [{ key: 'Accept', value: 'application/json' }],
      said: [],
    });
    expect(await made({ default: { content } })).toEqual({
      output: undefined,
      headers: [{ key: 'Accept', value: 'application/json' }],
      said: [],
    });
  });

  test('have schemas that every client can compile, and in which what is nullable may be null', async () => {
    const owner = { allOf: [{ type: 'object', required: ['id', 'id'] }], nullable: true, description: 'Whose it is' };
    const properties = {
      owner,
      code: { type: 'string', pattern: '^\\_[a-z\\-]+$' },
      word: { type: 'string', pattern: '^[a-z-]+$' },
      file: { type: 'file' },
      kind: { enum: ['a', 'a', 'b'] },
      none: { enum: [] },
      size: { type: 'integer', minimum: '1', multipleOf: 0 },
    };
    const { output, said } = await made({ 200: { content: json({ type: 'object', properties }) } });
    const validate = new Ajv({ strict: false }).compile(output as object);
    expect(validate({ owner: null, code: 'x', word: 'a-b', file: 'f', kind: 'b', none: 1, size: 3 })).toBe(true);
    expect(validate({ word: 'A' })).toBe(false);
    expect(validate({ kind: 'c' })).toBe(false);
    expect(said.map((why) => why.replace(/ cannot be .*/, ''))).toEqual([
      'pattern',
      'type',
      'enum',
      'minimum',
      'multipleOf',
    ]);
  });
});

describe('security', () => {
  const securitySchemes = {
    b: { type: 'http', scheme: 'Bearer' },
    k: { type: 'apiKey', in: 'query', name: 'key' },
    c: { type: 'apiKey', in: 'cookie', name: 'sid' },
    o: { type: 'oauth2', flows: {} },
  };
  test.each<[string, unknown, string | undefined, RegExp[]]>([
    ['one', [{ b: [] }], 'b', []],
    ['none', [], undefined, []],
    ['or none', [{ b: [] }, {}], undefined, []],
    ['one of two', [{ c: [] }, { k: [] }], 'k', []],
    ['two at once', [{ b: [], k: [] }], 'b', [/b and k cannot all be sent: b alone is/]],
    ['one that cannot be sent', [{ c: [] }], undefined, [/c cannot all be sent/]],
    ['a token of OAuth', [{ o: [] }], 'o', []],
  ])('%s', async (_, security, id, said) => {
    const all = await from(of({ security }, { components: { securitySchemes } }));
    expect((toolOf(all).requestTemplate as { security?: { id: string } }).security?.id).toBe(id);
    const others = all.leftOut.filter(({ place }) => !place.startsWith('components.')).map(({ why }) => why);
    expect(others).toEqual(said.map((pattern) => expect.stringMatching(pattern) as string));
    expect(isTaken(all)).toBe(true);
  });
});

describe('what it does not take', () => {
  test.each<[string, unknown, RegExp]>([
    ['Swagger', { swagger: '2.0' }, /Swagger 2\.0; convert it/],
    ['another version', { openapi: '4.0.0' }, /expected a version 3\.0 or 3\.1, found "4\.0\.0"/],
    ['no description', '[]', /expected an object/],
    ['no YAML', 'a: [', /./],
    ['no operation', { openapi: '3.1.0', paths: {} }, /no operation/],
    ['no server', of({}, { servers: [] }), /no operation/],
    ['a relative server', of({}, { servers: [{ url: '/v1' }] }), /no operation/],
    [
      'an alias that multiplies',
      `a: &a [1,1,1,1,1,1,1,1,1]\n${'bcdefg'
        .split('')
        .map(
          (key, i) =>
            `${key}: &${key} [${Array(9)
              .fill(`*${'abcdef'[i] ?? ''}`)
              .join(',')}]`,
        )
        .join('\n')}\n`,
      /alias/i,
    ],
  ])('%s', async (_, root, said) => {
    await expect(from(root)).rejects.toThrow(said);
  });

  test('--url says where a service is that does not say it', async () => {
    const all = await from(of({}, { servers: [] }), { url: 'https://y.example/' });
    expect(toolOf(all).requestTemplate).toMatchObject({ url: 'https://y.example/x/{id}' });
  });

  test.each<[string, object, RegExp]>([
    ['to itself', { $ref: '#/components/schemas/Loop' }, /circle|leads nowhere/],
    ['to nothing', { $ref: '#/components/schemas/Nix' }, /leads nowhere/],
    ['into another file', { $ref: 'other.yaml#/X' }, /other\.yaml.*not read/],
    ['to what has it inside', { $ref: '#/components/schemas/Node' }, /refers to itself/],
    ['that doubles 40 times', { $ref: '#/components/schemas/D0' }, /deeper than|larger than/],
  ])('a reference %s is noted', async (_, schema, said) => {
    const doubling = Object.fromEntries(
      Array.from({ length: 40 }, (__, i) => {
        const next = { $ref: `#/components/schemas/D${i + 1}` };
        return [`D${i}`, { type: 'object', properties: { a: next, b: next } }];
      }),
    );
    const schemas = {
      Loop: { $ref: '#/components/schemas/Loop' },
      Node: { type: 'object', properties: { next: { $ref: '#/components/schemas/Node' } } },
      ...doubling,
    };
    const requestBody = { content: { 'application/json': { schema } } };
    const all = await from(of({ requestBody }, { components: { schemas } }));
    expect(all.leftOut.map(({ why }) => why).join('\n')).toMatch(said);
    expect(isTaken(all)).toBe(true);
  });
});

test('whatever stands in a description, an answer or one error comes of it', async () => {
  const names = fc.constantFrom(
    'paths',
    'get',
    'post',
    'parameters',
    'schema',
    'type',
    '$ref',
    'content',
    'application/json',
    'items',
    'properties',
    'required',
    'security',
    'components',
    'securitySchemes',
    'in',
    'name',
    '/x',
    'servers',
    'url',
    'allOf',
    'requestBody',
  );
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 6 },
      fc.constantFrom<unknown>('query', 'object', '#/paths', '#', 'array', true, null, 3, 'http://x.example'),
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(names, tie('any'), { maxKeys: 5 }),
    ),
  })).any;
  await fc.assert(
    fc.asyncProperty(fc.dictionary(names, value, { maxKeys: 6 }), async (root) => {
      try {
        const { definitions } = await from({ ...root, openapi: '3.1.0' }, { url: 'http://x.example' });
        expect(definitions.tools.length).toBeGreaterThan(0);
        expect(parse(JSON.stringify(definitions))).toEqual(definitions);
      } catch (error) {
        expect((error as Error).message).toMatch(/no operation|expected|does not exist|circle|Error resolving|Token/i);
      }
    }),
    { numRuns: 300 },
  );
});
