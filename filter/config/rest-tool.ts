import { COLON, OPENING_BRACE, OPENING_BRACKET, SLASH, SPACE } from '../bytes/ascii';
import { make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { newNameTable } from '../bytes/names';
import { mayReadOn } from '../bytes/room';
import {
  Span,
  after,
  between,
  equals,
  equalsIgnoringCase,
  first,
  indexOf,
  length,
  limit,
  literal,
  pointer,
  startsWith,
  NONE,
} from '../bytes/span';
import { names, namesIn } from '../bytes/name-list';
import { newWriter } from '../bytes/writer';
import { kindOf, Kind, member } from '../json/reader';
import { textOf } from '../json/text';
import * as header from '../mcp/headers';
import { Gateway } from '../model/gateway';
import { ArgumentsTo, headerWay, Position, Rest, RestArgument, RestHeader, RestTool } from '../model/rest';
import { readSchema, schemaFault } from '../schema/schema';
import { compile } from '../template/compile';
import { Op, Program, Way } from '../template/program';
import { render } from '../template/run';
import { has } from '../template/text';
import { Environment } from './environment';
import { elementPlace, Place, Problems } from './problems';
import { isRestHeader, lowered } from './rest-headers';
import { readDownstream, readUse, Schemes, SECURITY } from './rest-security';
import { addFault, compiled, optional, template } from './rest-template';
import { openSection, Section } from './section';
import { flag, isMadeOf } from './values';

/** One tool, as Higress defines it. */
const MEMBERS = names(
  'name title description args requestTemplate responseTemplate errorResponseTemplate security outputSchema annotations',
);
const REQUEST_MEMBERS = names('url method headers body argsToJsonBody argsToUrlParam argsToFormBody security');
const RESPONSE_MEMBERS = names('body prependBody appendBody');
const HEADER_MEMBERS = names('key value');
const ARGUMENT_MEMBERS = names(
  'name description type required default enum items properties position title const minimum maximum exclusiveMinimum ' +
    'exclusiveMaximum minLength maxLength minItems maxItems pattern format additionalProperties anyOf oneOf allOf ' +
    'multipleOf uniqueItems examples deprecated',
);
/** In the order of Position, from Query on. */
const POSITIONS = names('query path header cookie body');
const METHODS = names('GET POST PUT PATCH DELETE HEAD OPTIONS');

const NAME = literal('name');
const ARGS = literal('args');
const REQUEST = literal('requestTemplate');
const RESPONSE = literal('responseTemplate');
const ERROR_RESPONSE = literal('errorResponseTemplate');
const OUTPUT_SCHEMA = literal('outputSchema');
const URL = literal('url');
const METHOD = literal('method');
const HEADERS = literal('headers');
const BODY = literal('body');
const PREPEND = literal('prependBody');
const APPEND = literal('appendBody');
const TO_JSON = literal('argsToJsonBody');
const TO_URL = literal('argsToUrlParam');
const TO_FORM = literal('argsToFormBody');
const KEY = literal('key');
const VALUE = literal('value');
const POSITION = literal('position');
const REQUIRED = literal('required');
const DEFAULT = literal('default');
const TYPE = literal('type');
const CONTENT_TYPE = literal('content-type');
const FORM = literal('application/x-www-form-urlencoded');
const GET = literal('GET');
const EMPTY = literal('');
const HTTP = literal('http');
const HTTPS = literal('https');
const SCHEME_END = literal('://');
const ACTION = literal('{{');
/** Beside letters and digits (RFC 3986 §3.2.2), with a port; names of containers have a `_`. */
const HOST_CHARACTERS = literal('-._~:[]');

const A_METHOD = literal('one of GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS');
const A_HEADER = literal('the name of a header that a service may be sent');
const A_SCHEMA = literal('a JSON Schema with type "object"');
const OBJECT_TYPE = literal('object');
const ONLY_ONE = literal('only one of argsToJsonBody, argsToUrlParam and argsToFormBody can be true');
const BODY_ALONE = literal('prependBody and appendBody cannot be used beside body');
const NO_URL = literal('needs a url, or responseTemplate.body, which then is the answer');
const BAD_HOST = literal('scheme and host must be text, or come from .config: no argument may change them');
const BAD_URL = literal('a URL with http:// or https://, a host and a path, or a path');
const ARGUMENT_TWICE = literal('is the name of another argument');
const DATA_OPEN = literal('{"config":');
const DATA_CLOSE = literal(',"args":{}}');

/** Bytes of scheme and host, with what stands before the path in the configuration. */
const MOST_BASE: u32 = 4096;

export function readTool(
  value: Span,
  place: Place,
  rest: Rest,
  schemes: Schemes,
  environment: Environment,
  gateway: Gateway,
  problems: Problems,
): RestTool {
  const arena = problems.arena;
  const section = openSection(value, place, MEMBERS, problems);
  const tool = make<RestTool>(arena);
  tool.name = section.required(NAME);
  tool.arguments = readArguments(section);
  tool.argumentsByName = newNameTable(arena);
  for (let i = 0; i < tool.arguments.count; i++) tool.argumentsByName.put(tool.argument(i).name, (i + 1) as usize);
  tool.headers = newList(arena);
  tool.prepended = tool.appended = EMPTY;
  readOutputSchema(section, tool);
  const request = section.section(REQUEST, REQUEST_MEMBERS);
  const response = section.section(RESPONSE, RESPONSE_MEMBERS);
  readRequest(request, tool, rest);
  readResponse(response, tool);
  tool.errorResponse = template(section, ERROR_RESPONSE, Way.Plain);
  if (tool.path === null && tool.response === null && wasSound(request, response)) {
    problems.add(problems.at(place).bytes(NO_URL));
  }
  readSecurity(section, request, tool, schemes, environment, gateway);
  return tool;
}

/** Neither url nor answer is given: it is not that one of them has a fault, which was told. */
function wasSound(request: Section, response: Section): bool {
  return isBlank(request.get(URL)) && isBlank(response.get(BODY));
}

function isBlank(value: Span): bool {
  return value === NONE || length(value) === 2;
}

/** What a tool says of the client's credential holds for it alone. */
function readSecurity(
  section: Section,
  request: Section,
  tool: RestTool,
  schemes: Schemes,
  environment: Environment,
  gateway: Gateway,
): void {
  const downstream = schemes.downstream;
  const passes = schemes.passes;
  readDownstream(section, SECURITY, schemes);
  const own = readUse(request, SECURITY, schemes, environment, gateway);
  tool.security = own === null ? schemes.upstream : own;
  schemes.downstream = downstream;
  schemes.passes = passes;
}

function readArguments(section: Section): List {
  const list = newList(section.arena);
  const elements = section.list(ARGS);
  for (let i = 0; i < elements.count && mayReadOn(); i++) {
    const place = elementPlace(section.placeOf(ARGS), i, section.arena);
    const inner = openSection(elements.at(i), place, ARGUMENT_MEMBERS, section.problems);
    const argument = make<RestArgument>(section.arena);
    argument.name = inner.required(NAME);
    argument.required = flag(inner, REQUIRED);
    // A default of null is none, as in the engine that definitions are written for.
    const byDefault = inner.get(DEFAULT);
    argument.byDefault = byDefault !== NONE && kindOf(byDefault) === Kind.Null ? NONE : byDefault;
    argument.position = positionOf(inner);
    argument.schema = readSchema(inner.object === NONE ? EMPTY_OBJECT : inner.object, section.arena);
    const fault = schemaFault();
    if (fault !== NONE) section.problems.add(section.problems.at(place).bytes(fault));
    for (let j = 0; j < list.count; j++) {
      if (argument.name !== NONE && equals(changetype<RestArgument>(list.at(j) as usize).name, argument.name)) {
        section.problems.add(section.problems.at(inner.placeOf(NAME)).bytes(ARGUMENT_TWICE));
      }
    }
    if (
      argument.position === Position.Header &&
      argument.name !== NONE &&
      !isRestHeader(lowered(argument.name, section.arena), section.arena)
    ) {
      inner.mustBe(NAME, A_HEADER);
    }
    if (argument.name !== NONE) list.push(changetype<usize>(argument) as u64);
  }
  return list;
}

const EMPTY_OBJECT = literal('{}');

/** Without regard to case; one that is unknown is none, as the engine that definitions are written for has it. */
function positionOf(section: Section): Position {
  const text = optional(section, POSITION);
  if (text === NONE) return Position.None;
  const all = namesIn(POSITIONS, section.arena);
  for (let i = 0; i < all.count; i++) if (equalsIgnoringCase(all.at(i), text)) return i + 1;
  return Position.None;
}

function readOutputSchema(section: Section, tool: RestTool): void {
  const value = section.get(OUTPUT_SCHEMA);
  if (value === NONE || kindOf(value) === Kind.Null) return;
  if (kindOf(value) !== Kind.Object) {
    section.mustBe(OUTPUT_SCHEMA, A_SCHEMA);
    return;
  }
  if (length(value) === 2) return;
  tool.isStructured = true;
  // Clients refuse a whole list where one of these is anything else (MCP schema, Tool).
  const type = openType(value, section);
  if (type === NONE || !equals(type, OBJECT_TYPE)) section.mustBe(OUTPUT_SCHEMA, A_SCHEMA);
}

function openType(value: Span, section: Section): Span {
  const type = member(value, TYPE, section.arena);
  return type !== NONE && kindOf(type) === Kind.String ? textOf(type, section.arena) : NONE;
}

function readRequest(section: Section, tool: RestTool, rest: Rest): void {
  tool.method = methodIn(section);
  readHeaders(section, tool);
  readUrl(section, tool, rest);
  const body = optional(section, BODY);
  tool.bodyWay = tool.hasForm ? Way.Form : looksLikeJson(body) ? Way.Json : Way.Plain;
  if (body !== NONE && length(body) > 0) tool.body = compiled(section, BODY, body, body, tool.bodyWay, null);
  const json = flag(section, TO_JSON);
  const url = flag(section, TO_URL);
  const form = flag(section, TO_FORM);
  if ((json && url) || (json && form) || (url && form))
    section.problems.add(section.problems.at(section.place).bytes(ONLY_ONE));
  tool.argumentsTo = json
    ? ArgumentsTo.JsonBody
    : url
      ? ArgumentsTo.UrlParameters
      : form
        ? ArgumentsTo.FormBody
        : ArgumentsTo.Nothing;
}

function methodIn(section: Section): Span {
  const text = optional(section, METHOD);
  if (text === NONE || length(text) === 0) return GET;
  const all = namesIn(METHODS, section.arena);
  for (let i = 0; i < all.count; i++) if (equalsIgnoringCase(all.at(i), text)) return all.at(i);
  section.mustBe(METHOD, A_METHOD);
  return GET;
}

function looksLikeJson(body: Span): bool {
  if (body === NONE) return false;
  let at = pointer(body);
  while (at < limit(body) && load<u8>(at) <= SPACE) at++;
  if (at === limit(body)) return false;
  const c = load<u8>(at);
  // A template that begins with an action is no document by its first brace.
  return (
    c === OPENING_BRACKET || (c === OPENING_BRACE && (at + 1 === limit(body) || load<u8>(at + 1) !== OPENING_BRACE))
  );
}

function readHeaders(section: Section, tool: RestTool): void {
  const elements = section.list(HEADERS);
  for (let i = 0; i < elements.count; i++) {
    const place = elementPlace(section.placeOf(HEADERS), i, section.arena);
    const inner = openSection(elements.at(i), place, HEADER_MEMBERS, section.problems);
    const key = optional(inner, KEY);
    if (key === NONE || length(key) === 0) continue;
    const name = lowered(key, section.arena);
    if (!isRestHeader(name, section.arena)) {
      inner.mustBe(KEY, A_HEADER);
      continue;
    }
    const text = optional(inner, VALUE);
    const template: Span = text === NONE ? EMPTY : text;
    const value = compiled(inner, VALUE, template, template, headerWay(name), null);
    if (value === null) continue;
    const created = make<RestHeader>(section.arena);
    created.name = name;
    created.value = value;
    tool.headers.push(changetype<usize>(created) as u64);
    if (equals(name, CONTENT_TYPE)) {
      tool.hasContentType = true;
      tool.hasForm = text !== NONE && startsWith(lowered(text, section.arena), FORM);
    } else if (equals(name, header.ACCEPT)) tool.hasAccept = true;
    else if (equals(name, header.COOKIE)) tool.hasCookie = true;
  }
}

/** Scheme and host are settled here; what an argument can have a say in begins with the path. */
function readUrl(section: Section, tool: RestTool, rest: Rest): void {
  const url = optional(section, URL);
  if (url === NONE || length(url) === 0) return;
  const arena = section.arena;
  const split = hasBase(url) ? beginningOfPath(url) : 0;
  const beginning = first(url, split as u32);
  const base = compile(beginning, Way.Url, null, arena);
  const program = base.program;
  if (program === null) {
    addFault(section, URL, url, base.position, base.fault);
    return;
  }
  if (!isOfOperator(program)) {
    addFault(section, URL, url, 0, BAD_HOST);
    return;
  }
  const data = newWriter(arena, 256).bytes(DATA_OPEN).bytes(rest.config).bytes(DATA_CLOSE).written;
  const rendered = render(program, data, Way.Url, MOST_BASE, 0, arena);
  if (rendered.text === NONE) {
    addFault(section, URL, url, rendered.position, rendered.fault);
    return;
  }
  const text = arena.copy(rendered.text);
  tool.authority = NONE;
  tool.basePath = text;
  const scheme = schemeEnd(text);
  if (scheme > 0) {
    const behind = after(text, (scheme as u32) + 3);
    const isHttp =
      equalsIgnoringCase(first(text, scheme as u32), HTTP) || equalsIgnoringCase(first(text, scheme as u32), HTTPS);
    const slash = endOfHost(behind);
    const host = withoutUser(first(behind, slash as u32));
    if (!isHttp || length(host) === 0 || !isMadeOf(lowered(host, arena), HOST_CHARACTERS)) section.mustBe(URL, BAD_URL);
    tool.authority = host;
    tool.basePath = after(behind, slash as u32);
  }
  const placeholders = newList(arena);
  for (let i = 0; i < tool.arguments.count; i++) {
    const argument = tool.argument(i);
    if (argument.position === Position.Path) placeholders.push(argument.name);
  }
  const path = after(url, split as u32);
  tool.path = compiled(section, URL, url, path, Way.Url, placeholders);
}

/** Whether something may stand before the path: a scheme and a host, or an action that writes them. */
function hasBase(url: Span): bool {
  const beginning = first(url, beginningOfPath(url) as u32);
  return schemeEnd(beginning) > 0 || has(beginning, ACTION);
}

/** Where the path, the query or the fragment of a URL begins that is a template; its end, where it has none of them. */
function beginningOfPath(url: Span): i32 {
  let inside = false;
  for (let i = 0; i < length(url); i++) {
    const at = pointer(url) + (i as usize);
    const c = load<u8>(at);
    if (!inside && c === OPENING_BRACE && i + 1 < length(url) && load<u8>(at + 1) === OPENING_BRACE) inside = true;
    else if (inside && c === 0x7d && i + 1 < length(url) && load<u8>(at + 1) === 0x7d) inside = false;
    if (inside) continue;
    if (c === COLON && startsWith(between(at, limit(url)), SCHEME_END)) i += 2;
    else if (c === SLASH || c === 0x3f || c === 0x23) return i;
  }
  return length(url);
}

/** It only writes what comes from the operator, whatever the data are. */
function isOfOperator(program: Program): bool {
  for (let i = 0; i < program.count; i++) {
    const instruction = program.instruction(i);
    if (instruction.op === Op.Print && instruction.count !== Way.Trusted) return false;
    if (instruction.op > Op.Call || instruction.op === Op.Variable || instruction.op === Op.Set) return false;
  }
  return true;
}

function schemeEnd(text: Span): i32 {
  const colon = indexOf(text, COLON);
  return colon > 0 && startsWith(after(text, colon as u32), SCHEME_END) ? colon : 0;
}

function endOfHost(text: Span): i32 {
  for (let i = 0; i < length(text); i++) {
    const c = load<u8>(pointer(text) + (i as usize));
    if (c === SLASH || c === 0x3f || c === 0x23) return i;
  }
  return length(text);
}

function withoutUser(host: Span): Span {
  const at = indexOf(host, 0x40);
  return at < 0 ? host : after(host, (at as u32) + 1);
}

function readResponse(section: Section, tool: RestTool): void {
  tool.response = template(section, BODY, Way.Plain);
  const prepended = optional(section, PREPEND);
  const appended = optional(section, APPEND);
  if (prepended !== NONE) tool.prepended = prepended;
  if (appended !== NONE) tool.appended = appended;
  if (tool.response !== null && (length(tool.prepended) > 0 || length(tool.appended) > 0)) {
    section.problems.add(section.problems.at(section.place).bytes(BODY_ALONE));
  }
}
