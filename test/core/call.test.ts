import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutAt, feedings, Window } from './chunks.ts';
import { instance } from './core.ts';
import { json, spelled } from './json-text.ts';

const core = instance();
const window = new Window(core, 1 << 16);
const wholeBody = new Window(core, 1 << 16);
const OUTCOME = { forward: 2, reply: 3 };

interface Params {
  name: string;
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A gateway whose servers have these prefixes. */
function configure(prefixes: string[]): void {
  const servers = prefixes.map((prefix, i) => ({ name: `server-${i}`, cluster: 'c', prefix }));
  const accepted = core.call('exchangeConfigure', ...core.span(JSON.stringify({ servers }))) === 1;
  core.clear();
  if (!accepted) throw new Error('the configuration was refused');
}

/** Sends a body through the gateway; returns the outcome. */
function send(body: Uint8Array, chunks: Iterable<Uint8Array> = [body]): number {
  core.call('exchangeOpen');
  for (const chunk of chunks) core.call('exchangeRead', ...window.show(chunk));
  return core.call('exchangeDecide', ...wholeBody.show(body));
}

function header(name: string): string | undefined {
  const value = core.text('exchangeHeader', ...core.span(name));
  core.clear();
  return value;
}

/** The body that the server gets. */
function forwarded(body: Uint8Array): Uint8Array {
  const [from, to] = [core.call('exchangeCutFrom'), core.call('exchangeCutTo')];
  expect(header('content-length')).toBe(String(body.length - (to - from)));
  return new Uint8Array(Buffer.concat([body.subarray(0, from), body.subarray(to)]));
}

function reply(): { code: number; message: string; data: Record<string, unknown> } {
  const body = core.text('exchangeReplyBody') ?? '';
  return (JSON.parse(body) as { error: { code: number; message: string; data: Record<string, unknown> } }).error;
}

const PREFIXES = ['weather_', 'a.b-', 'Orders', '_'];
configure(PREFIXES);

const upstreamName = fc
  .oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }),
    fc.string({ unit: fc.constantFrom(...Array.from('getGET_./-"\\')), minLength: 1, maxLength: 30 }),
  )
  .filter((name) => !/\p{Cs}/u.test(name));
const space = fc.constantFrom('', ' ', '\n\t');
const ARGUMENTS = '"arguments":{"name":"weather_x"}';

/** A call as the client writes it, and as the server is to get it. */
const call = fc
  .record({ server: fc.nat(PREFIXES.length - 1), name: upstreamName, value: json, space, nameFirst: fc.boolean() })
  .chain(({ server, name, value, space, nameFirst }) => {
    const others = [`"x":${value}`, ARGUMENTS].join(',');
    const params = (name: string): string => (nameFirst ? `${name},${others}` : `${others},${name}`);
    const message = (name: string): string =>
      `{"params":{${params(`"name"${space}:${space}"${name}"`)}},"jsonrpc":"2.0","method":"tools/call","id":1}`;
    return fc
      .tuple(spelled(PREFIXES[server] ?? ''), spelled(name))
      .map(([prefix, rest]) => ({ server, name, received: message(prefix + rest), sent: message(rest) }));
  });

test('a server gets the bytes of the client, but for the prefix of the name', () => {
  fc.assert(
    fc.property(call, fc.array(fc.nat(), { maxLength: 4 }), ({ server, name, received, sent }, places) => {
      const body = utf8(received);
      expect(send(body, cutAt(body, places))).toBe(OUTCOME.forward);
      expect(core.call('exchangeServer')).toBe(server);
      const result = forwarded(body);
      expect(Buffer.from(result).toString()).toBe(sent);
      const { params } = JSON.parse(Buffer.from(result).toString()) as { params: Params };
      expect(params.name).toBe(name);
    }),
    { numRuns: 1000 },
  );
});

test('the cut is the same wherever the body was cut', () => {
  const received = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"w\\u0065ather\\u005fg\\u0065t"}}';
  const sent = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"g\\u0065t"}}';
  for (const chunks of feedings(utf8(received))) {
    expect(send(utf8(received), chunks)).toBe(OUTCOME.forward);
    expect(Buffer.from(forwarded(utf8(received))).toString()).toBe(sent);
    expect(header('x-mcp-toolname')).toBe('get');
    expect(header('x-mcp-servername')).toBe('server-0');
  }
});

test('without a prefix nothing is cut', () => {
  configure(['']);
  const body = utf8('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\\u0067et"}}');
  expect(send(body)).toBe(OUTCOME.forward);
  expect(forwarded(body)).toEqual(body);
  expect(header('x-mcp-toolname')).toBe('get');
  configure(PREFIXES);
});

test.each([
  ['no name', '{}', 'Unknown tool: params.name is missing or not a string.'],
  ['a name that is not a string', '{"name":1}', 'Unknown tool: params.name is missing or not a string.'],
  ['a name of no server', '{"name":"get"}', 'Unknown tool: get.'],
  ['a prefix in another case', '{"name":"Weather_get"}', 'Unknown tool: Weather_get.'],
  ['a part of a prefix', '{"name":"weather"}', 'Unknown tool: weather.'],
  ['a prefix and nothing behind it', '{"name":"weather_"}', 'Unknown tool: weather_.'],
  ['half of a surrogate pair', '{"name":"weather_\\ud83d"}', 'Unknown tool: "weather_\\ud83d".'],
  [
    'a name that fits into no header',
    `{"name":"weather_${'x'.repeat(1025)}"}`,
    `Unknown tool: weather_${'x'.repeat(248)}.`,
  ],
])('%s is unknown_tool', (_, params, message) => {
  expect(send(utf8(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`))).toBe(OUTCOME.reply);
  expect(reply()).toMatchObject({ code: -32602, data: { reason: 'unknown_tool' } });
  expect(reply().message).toContain(message);
});

test('any claim of a stateless revision is refused with JSON, where its header says something else', () => {
  fc.assert(
    fc.property(json, (claim) => {
      const meta = `{"io.modelcontextprotocol/protocolVersion":${claim},"io.modelcontextprotocol/clientCapabilities":{}}`;
      const body = utf8(`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":${meta}}}`);
      expect(send(body)).toBe(OUTCOME.reply);
      expect(reply()).toMatchObject({ code: -32020, data: { reason: 'header_mismatch' } });
    }),
    { numRuns: 300 },
  );
});
