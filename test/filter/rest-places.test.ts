// Arguments of strangers in every place that a definition has for them: whatever they are, the request goes to the same
// service, by the same method, to the same resource, with the same headers, and its body has the same members.
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { ask, openSession, startHost } from './gateway.ts';
import type { Host } from './host.ts';
import { type Headers, valueOf } from './pairs.ts';

const places = ['path', 'query', 'header', 'cookie', 'text', 'value', 'url', 'formed', 'free'] as const;
type Place = (typeof places)[number];

const argument = (name: Place, position?: string): object => ({ name, ...(position !== undefined && { position }) });
const tools = [
  {
    name: 'json',
    args: [
      argument('path', 'path'),
      argument('query', 'query'),
      argument('header', 'header'),
      argument('cookie', 'cookie'),
      ...(['text', 'value', 'url'] as const).map((name) => argument(name)),
    ],
    requestTemplate: {
      url: 'https://b.example/a/{path}/{{.args.url}}/end?q={{.args.url}}&fixed=1',
      method: 'PUT',
      headers: [{ key: 'X-Made', value: 'v {{.args.header}}' }],
      body: '{"text":"{{.args.text}}","value":{{.args.value}},"last":true}',
    },
  },
  {
    name: 'form',
    args: [argument('free'), argument('formed')],
    requestTemplate: {
      url: 'https://b.example/form',
      method: 'POST',
      headers: [{ key: 'Content-Type', value: 'application/x-www-form-urlencoded' }],
      body: 'a={{.args.formed}}&b=1',
    },
  },
  {
    name: 'free',
    args: [argument('free'), argument('formed', 'body')],
    requestTemplate: { url: 'https://b.example/free', method: 'POST', argsToJsonBody: true },
  },
];

let host: Host;
let session: Headers;
beforeAll(() => {
  host = startHost({ servers: [{ name: 's', cluster: 's', prefix: '', rest: { tools } }] });
  session = openSession(host);
});

interface Request {
  readonly headers: Headers;
  readonly body: string;
}

/** What the service is sent; undefined where the call is refused, which it is by a result for the model. */
function sent(name: string, args: unknown): Request | undefined {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } });
  const stream = ask(host, { headers: session, body });
  const { forwarded, reply } = stream;
  stream.close();
  if (forwarded !== undefined) return { headers: forwarded.headers, body: forwarded.body.toString() };
  expect(reply?.status).toBe(200);
  expect(JSON.parse(reply?.body.toString() ?? '')).toMatchObject({ result: { isError: true } });
  return undefined;
}

const hostile = [
  ...[
    '..',
    '.',
    '%2e%2e',
    '../admin',
    '/',
    '//evil.example/',
    '\\..\\',
    '?x=1',
    '#f',
    '&fixed=2',
    '=',
    ';',
    '%',
    '%00',
  ],
  ...['\r\nhost: evil.example', '\n', '\u0000', '\u007f', '\u2028', '"', '","last":false,"x":"', '}', '\\', '\\"'],
  ...[
    '@evil.example',
    ':8080',
    'https://evil.example/',
    '{{.config}}',
    '{path}',
    '{{',
    'ü',
    '😀',
    '\ud800',
    ' ',
    '+',
    '',
  ],
];
const value = fc.oneof(
  fc.constantFrom(...hostile),
  fc
    .array(fc.oneof(fc.constantFrom(...hostile), fc.string({ unit: 'binary', maxLength: 5 })), { maxLength: 4 })
    .map((parts) => parts.join('')),
  fc.jsonValue({ maxDepth: 2 }),
);

const namesOf = (headers: Headers): string[] => headers.map(([name]) => name).sort();

test('no argument changes what is asked of a service (CWE-74, CWE-113, RFC 9112 §11.1)', () => {
  const plain = { ...Object.fromEntries(places.map((name) => [name, 'a'])), value: 1 };
  const usual = sent('json', plain);
  expect(usual).toBeDefined();
  let passed = 0;
  fc.assert(
    fc.property(
      fc.constantFrom<Place>('path', 'query', 'header', 'cookie', 'text', 'value', 'url'),
      value,
      (name, strange) => {
        const request = sent('json', { ...plain, [name]: strange });
        if (request === undefined || usual === undefined) return;
        passed++;
        // Nothing in the place of a JSON value leaves a body that is none: the service refuses it.
        if (name === 'value' && strange === '') return;
        for (const own of [':method', ':authority', ':scheme', 'x-mcp-servername', 'content-type', 'accept']) {
          expect(valueOf(request.headers, own), own).toBe(valueOf(usual.headers, own));
        }
        expect(namesOf(request.headers)).toEqual(namesOf(usual.headers));
        for (const [, text] of request.headers) expect(text).not.toMatch(/[\0\r\n]/);
        const path = valueOf(request.headers, ':path') ?? '';
        expect(path).toMatch(/^\/a\/[^/?#\\]+\/[^/?#\\]*\/end\?q=[^&#]*&fixed=1&query=[^&#]*$/);
        const url = new URL(path, 'https://b.example');
        expect([url.host, url.pathname]).toEqual(['b.example', path.split('?')[0]]);
        expect(valueOf(request.headers, 'cookie')).toMatch(/^cookie=[^;,\s]*$/);
        expect(Object.keys(JSON.parse(request.body) as object)).toEqual(['text', 'value', 'last']);
        expect((JSON.parse(request.body) as { last: unknown }).last).toBe(true);
      },
    ),
    {
      numRuns: 3000,
      examples: hostile.flatMap((each) =>
        (['path', 'query', 'header', 'cookie', 'text', 'value', 'url'] as const).map((name): [Place, unknown] => [
          name,
          each,
        ]),
      ),
    },
  );
  expect(passed).toBeGreaterThan(500);
});

test('no argument changes the members of a form, or of a body that is made of arguments', () => {
  let passed = 0;
  fc.assert(
    fc.property(value, value, (free, formed) => {
      const form = sent('form', { free, formed });
      if (form !== undefined) {
        expect([...new URLSearchParams(form.body).keys()]).toEqual(['a', 'b']);
        expect(new URLSearchParams(form.body).get('b')).toBe('1');
      }
      const json = sent('free', { free, formed });
      if (json !== undefined) expect(JSON.parse(json.body)).toEqual(JSON.parse(JSON.stringify({ free, formed })));
      if (json !== undefined) passed++;
    }),
    { numRuns: 1500 },
  );
  expect(passed).toBeGreaterThan(1000);
});

test('what a call has beside its declared arguments goes nowhere', () => {
  const request = sent('free', { free: 'a', host: 'evil.example', ':path': '/x', authorization: 'b', __proto__: 'c' });
  expect(request?.body).toBe('{"free":"a"}');
  expect(valueOf(request?.headers ?? [], ':path')).toBe('/free');
  expect(valueOf(request?.headers ?? [], 'authorization')).toBeUndefined();
});
