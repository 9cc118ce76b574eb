// What is fuzzed: a row for each kind of bytes that strangers send to the module, with what has to be true of its answer.
import { readFileSync } from 'node:fs';
import { instance } from '../core/core.ts';
import { FieldReader, fieldsOf } from '../core/event-fields.ts';
import { configured } from '../core/gateway.ts';
import { isJson } from '../core/json-text.ts';
import { type Outcome, rendered, ways } from '../core/rendering.ts';
import { MessageReader } from '../core/told-message.ts';
import type { Draw } from './draw.ts';
import { REFUSED, expectedOf } from './reference.ts';

/** One attempt: what became of an input that was drawn. @throws Error with the input where it is not what it has to be */
export type Attempt = (draw: Draw) => string;

/** Name → makes the attempts of a run, with a core of their own: what one of them breaks, a later one meets. */
export const targets: Readonly<Record<string, () => Attempt>> = { bodies, events, configurations, tokens, templates };

/** Messages against the strict reader. */
function bodies(): Attempt {
  const reader = new MessageReader(instance());
  return (draw) => {
    const text = Buffer.from(message(draw));
    const body = draw.chance(0.5) ? draw.damaged(text) : text;
    const told = reader.told(body, draw.cut(body));
    const expected = expectedOf(body);
    const [first = ''] = told.split(/[\n:]/, 1);
    const isRefused = first === 'parse_error' || first === 'invalid_request';
    if (expected === REFUSED ? !isRefused : told !== expected) throw differs(body, told, expected);
    return first;
  };
}

function message(draw: Draw): string {
  const params = (): string => {
    const count = draw.number(5);
    return draw.chance(0.9) ? draw.list('{', '}', count, () => member(draw, inParams, 2)) : draw.json(2);
  };
  const inside = ['jsonrpc', 'id', 'method', 'params', 'result', 'error', 'name', 'Method', 'extra'];
  const values: Readonly<Record<string, () => string>> = {
    jsonrpc: () => (draw.chance(0.95) ? draw.spelled('2.0') : draw.json(1)),
    id: () => draw.one(['1', '-7', '"a"', '"\\u00e9😀"', '9007199254740993', draw.json(1)]),
    method: () => (draw.chance(0.9) ? draw.spelled(draw.one(methods)) : draw.json(1)),
    params,
  };
  const members = inside.filter((_, index) => draw.chance(index < 4 ? 0.93 : 0.06));
  if (draw.chance(0.03)) members.push(draw.one(inside));
  if (draw.chance(0.5)) members.sort(() => (draw.chance(0.5) ? 1 : -1));
  const all = members.map((name) => {
    const value = values[name]?.() ?? draw.json(3);
    return `${draw.space()}${draw.spelled(name)}${draw.space()}:${draw.space()}${value}${draw.space()}`;
  });
  const mark = draw.chance(0.02) ? '\ufeff' : '';
  return draw.chance(0.98) ? `${mark}${draw.space()}{${all.join(',')}}${draw.space()}` : draw.json(4);
}

const methods = [
  ...['tools/call', 'tools/list', 'initialize', 'ping', 'prompts/get', 'resources/read', 'resources/subscribe'],
  ...['completion/complete', 'notifications/cancelled', 'x'],
];
const claim = 'io.modelcontextprotocol/protocolVersion';
const inParams = ['name', 'uri', 'arguments', 'ref', '_meta', 'cursor', 'other', 'Name', 'URI', 'par\u017fms'];
const below = ['name', 'uri', 'type', claim, 'progressToken', 'Ref', 'id'];

function member(draw: Draw, names: readonly string[], levels: number): string {
  const name = draw.one(names);
  const isOpened = (name === 'ref' || name === '_meta') && draw.chance(0.8);
  const value = isOpened
    ? draw.list('{', '}', draw.number(4), () => member(draw, below, levels - 1))
    : draw.chance(0.6)
      ? draw.string()
      : draw.json(levels);
  return `${draw.spelled(name)}:${value}`;
}

/** Event streams against a reader of lines. */
function events(): Attempt {
  const reader = new FieldReader(instance());
  const names = ['data', 'event', 'id', 'retry', '', 'Data', 'datax', ' data', 'da', '\ufeffdata', '\0'];
  const separators = [':', ': ', ':  ', '', ' :'];
  const ends = ['\n', '\r', '\r\n'];
  return (draw) => {
    let stream = draw.chance(0.1) ? '\ufeff' : '';
    for (let lines = draw.number(12); lines > 0; lines--) {
      const isBlank = draw.chance(0.3);
      const value = draw.chance(0.5) ? draw.json(2).replaceAll(/[\r\n]/g, ' ') : draw.string();
      stream += `${isBlank ? '' : draw.one(names) + draw.one(separators) + value}${draw.one(ends)}`;
    }
    if (draw.chance(0.3)) stream += draw.one(names);
    let bytes = Buffer.from(stream);
    if (draw.chance(0.3)) bytes = Buffer.from(draw.damaged(bytes).toString()); // what is no text is compared by cuts alone
    const told = reader.read(draw.cut(bytes)).join('\n');
    const expected = fieldsOf(bytes.toString()).join('\n');
    if (told !== expected) throw differs(bytes, told, expected);
    return told === '' ? 'nothing' : told.includes('end') ? 'events' : 'no event';
  };
}

/** The first byte of a configuration as Istio sends it, a `google.protobuf.Struct`; a line feed in JSON. */
const STRUCT_FIELD = 0x0a;

/** Configurations: read or refused with problems; what is no JSON is told to be none. */
function configurations(): Attempt {
  let core = instance();
  let attempts = 0;
  return (draw) => {
    if (++attempts % 10_000 === 0) core = instance(); // each keeps its gateway
    const text = Buffer.from(configuration(draw));
    const bytes = draw.chance(0.3) ? draw.damaged(text) : text;
    const lines = configured(core, bytes);
    const isRead = lines[0]?.startsWith('endpoint: ') === true;
    const isToldNoJson = lines.includes('the configuration: is not JSON');
    if (lines.length === 0 || lines.some((line) => line === '')) throw differs(bytes, lines.join('\n'), 'some lines');
    const isStruct = bytes[0] === STRUCT_FIELD && !isToldNoJson;
    if (bytes.length > 0 && !isStruct && isToldNoJson === isJson(bytes))
      throw differs(bytes, lines.join('\n'), 'the other');
    return isRead ? 'read' : isToldNoJson ? 'no JSON' : 'refused';
  };
}

const sections: Readonly<Record<string, readonly string[]>> = {
  limits: ['"heldBody":"1Mi"', '"callTimeout":"3s"', '"event":4096', '"listPages":0', '"batch":-1', '"fanOut":"x"'],
  sessions: ['"ttl":"1h"', '"keys":[]', '"keys":[{"id":1,"env":"NONE"}]', '"ttl":-1'],
  headers: ['"emit":["x-mcp-method"]', '"response":["x-*"]', '"response":"x"'],
  toolSearch: ['"enabled":true', '"pinned":["*"]', '"results":5'],
  results: ['"maxBytes":1000', '"over":"cut"', '"over":"refuse"'],
};

function configuration(draw: Draw): string {
  const server = (): string => {
    const name = draw.one(['a', 'b', 'c', 'A', '']);
    const more = ['"prefix":"x_"', '"path":"/mcp"', '"protocol":"auto"', '"listCache":{"ttl":"1s"}', '"tools":["*"]'];
    return `{"name":"${name}","cluster":"${name}"${draw.chance(0.5) ? `,${draw.one(more)}` : ''}}`;
  };
  const members = [`"servers":${draw.list('[', ']', draw.chance(0.9) ? 1 + draw.number(3) : 0, server)}`];
  for (const [name, rows] of Object.entries(sections)) {
    if (!draw.chance(0.25)) continue;
    members.push(`"${name}":${draw.list('{', '}', 1 + draw.number(2), () => draw.one(rows))}`);
  }
  if (draw.chance(0.2)) members.push(`${draw.string()}:${draw.json(4)}`);
  if (draw.chance(0.2)) members.push(`"endpoint":${draw.one(['"/mcp"', '"/"', '"x"', '7', '"/a/b"'])}`);
  return draw.chance(0.95) ? `{${members.join(',')}}` : draw.json(5);
}

/** Session ids: the one that was sealed is opened with what is in it, any other one is refused. */
function tokens(): Attempt {
  const core = instance();
  const audience = 'audience';
  const now = 1_900_000_000;
  core.call('sessionOpenRing');
  core.call('sessionAddKey', 1, core.put(new Uint8Array(32).fill(7)));
  core.clear();
  const isOpened = (token: string): boolean => {
    const opened = core.call('sessionOpen', ...core.span(token), now, ...core.span(audience)) === 1;
    core.clear();
    return opened;
  };
  return (draw) => {
    const count = draw.number(5);
    const ids = Array.from({ length: count }, () => `${'session-'.repeat(draw.number(4))}${draw.number(1e9)}`);
    core.call('sessionOpenDraft', 1 + draw.number(4));
    for (const [index, id] of ids.entries())
      core.call('sessionAdd', BigInt(index + 1), 4, 1, ...core.span(id), ...core.span(''));
    const entropy = Uint8Array.from({ length: 28 }, () => draw.number(256));
    const token = core.text('sessionSeal', core.put(entropy), now - 10, 100, ...core.span(audience)) ?? '';
    core.clear();
    const forged = draw.chance(0.2)
      ? Buffer.from(draw.damaged(Buffer.from(token, 'base64url'))).toString('base64url')
      : draw.damaged(Buffer.from(token)).toString('latin1');
    if (forged !== token && isOpened(forged)) throw differs(Buffer.from(forged), 'opened', `only ${token} is`);
    if (!isOpened(token)) throw differs(Buffer.from(token), 'refused', 'opened');
    for (const [index, id] of ids.entries()) {
      const found = core.call('sessionFind', BigInt(index + 1)) === 1 ? core.text('sessionUpstreamId') : undefined;
      if (found !== id) throw differs(Buffer.from(token), String(found), id);
    }
    return forged === token ? 'the same' : 'refused';
  };
}

/** Templates: refused with a place, or run within their bounds; what is escaped for JSON stays one string. */
function templates(): Attempt {
  const core = instance();
  const file = new URL('../core/cases/templates.json', import.meta.url);
  const cases = JSON.parse(readFileSync(file, 'utf8')) as { template: string; data: string }[];
  const parts = [
    ...['{{', '}}', '{{-', '-}}', '{{range .l}}', '{{range .n}}', '{{end}}', '{{else}}', '{{with .a}}', '{{if .b}}'],
    ...['{{$x := .l}}', '{{$x}}', '{{.l | join ","}}', '{{break}}', '{{continue}}', '(', ')', '"', '`', '\\', '{{.a}}'],
  ];
  const names = Object.keys(ways) as (keyof typeof ways)[];
  return (draw) => {
    if (draw.chance(0.2)) return argument(draw);
    let template = '';
    for (let count = draw.number(6); count > 0; count--)
      template += draw.chance(0.5) ? draw.one(cases).template : draw.one(parts);
    if (draw.chance(0.3)) template = draw.damaged(Buffer.from(template)).toString();
    const data = draw.chance(0.5) ? draw.one(cases).data : draw.json(4);
    const most = draw.number(300);
    const input = Buffer.from(`${template}\n${data}`);
    const way = draw.one(names);
    let outcome: Outcome;
    try {
      outcome = rendered(core, template, data, way, most);
    } catch (error) {
      throw differs(input, String(error), 'an outcome'); // a trap, or a text that is none
    }
    if ('text' in outcome && Buffer.byteLength(outcome.text) > most)
      throw differs(input, outcome.text, `${most} bytes`);
    if ('refused' in outcome && !(outcome.position <= Buffer.byteLength(template)))
      throw differs(input, String(outcome.position), 'a place in the template');
    return Object.keys(outcome)[0] ?? '';
  };

  function argument(draw: Draw): string {
    const value = draw.string();
    const outcome = rendered(core, '{"a":"{{.args.a}}","b":1}', `{"args":{"a":${value}}}`, 'json');
    const text = 'text' in outcome ? outcome.text : JSON.stringify(outcome);
    const expected = { a: readByGjson(value), b: 1 };
    if (!isJson(Buffer.from(text)) || JSON.stringify(JSON.parse(text)) !== JSON.stringify(expected))
      throw differs(Buffer.from(value), text, JSON.stringify(expected));
    return 'in its place';
  }
}

/** A JSON string as the engine reads it that templates are written for: half a surrogate pair takes the next escape with it. */
function readByGjson(json: string): string {
  const isPair = /^\\u[dD][89abAB]..\\u[dD][c-fC-F]/;
  const halves = /\\(?:u[dD][89a-fA-F][0-9a-fA-F]{2}(?:\\u[0-9a-fA-F]{4})?|u[0-9a-fA-F]{4}|.)/g;
  const isHalf = /^\\u[dD][89a-fA-F]/;
  return String(
    JSON.parse(json.replace(halves, (found) => (isHalf.test(found) && !isPair.test(found) ? '\ufffd' : found))),
  );
}

function differs(input: Uint8Array, found: string, expected: string): Error {
  const hex = Buffer.from(input).toString('hex');
  return new Error(
    `of ${JSON.stringify(Buffer.from(input).toString())} (${hex})\nfound    ${found}\nexpected ${expected}`,
  );
}
