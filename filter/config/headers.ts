import { FIRST_NOUN, LAST_NOUN, Noun, nounRow } from '../mcp/nouns';
import { ASTERISK } from '../bytes/ascii';
import { Span, equals, first, length, limit, literal, NONE } from '../bytes/span';
import { kindOf, Kind } from '../json/reader';
import { textOf } from '../json/text';
import * as header from '../mcp/headers';
import { newResponseHeaders } from '../policy/response-headers';
import { Emitted, emittedBy, Gateway } from '../model/gateway';
import { HostMode } from '../model/host-mode';
import { elementPlace } from './problems';
import { names } from '../bytes/name-list';
import { mustBe, Section } from './section';
import { flag, isMadeOf } from './values';

const MEMBERS = names('emit response traceToMeta');
const EMIT = literal('emit');
const RESPONSE = literal('response');
const TRACE_TO_META = literal('traceToMeta');

const TOKEN_CHARACTERS = literal('-_.');
const ALL: u32 = u32.MAX_VALUE;

const AN_EMITTED = literal(
  '"x-mcp-servername", "x-mcp-method", "x-mcp-toolname", "x-mcp-promptname", "x-mcp-resourceuri" or "x-mcp-eventname"',
);
const NEEDS_SERVER = literal('must have "x-mcp-servername": routes match on it');
const NEEDS_BODY = literal('needs hostMode hold or pair: in host mode headers a call goes on before its body has come');
const A_RESPONSE_HEADER = literal(
  'the name of a header in lower case, or its beginning with a "*" behind it, not one that the gateway sets itself',
);

/** What later filters are told in headers, what messages repeat of them, and which headers of servers reach clients. */
export function readHeaders(parent: Section, name: Span, gateway: Gateway): void {
  const section = parent.section(name, MEMBERS);
  gateway.emitted = section.get(EMIT) === NONE ? ALL : readEmitted(section);
  gateway.traceToMeta = flag(section, TRACE_TO_META);
  if (gateway.traceToMeta && gateway.hostMode === HostMode.Headers) {
    section.problems.add(section.problems.at(section.placeOf(TRACE_TO_META)).bytes(NEEDS_BODY));
  }
  gateway.responseHeaders = newResponseHeaders(section.arena);
  const elements = section.list(RESPONSE);
  for (let i = 0; i < elements.count; i++) {
    const text = textIn(elements.at(i), section);
    if (text !== NONE && isResponseHeader(text)) gateway.responseHeaders.add(text);
    else refuse(section, RESPONSE, i, A_RESPONSE_HEADER, elements.at(i));
  }
}

function readEmitted(section: Section): u32 {
  const elements = section.list(EMIT);
  let emitted: u32 = 0;
  let server = false;
  for (let i = 0; i < elements.count; i++) {
    const text = textIn(elements.at(i), section);
    if (equals(text, header.SERVER_NAME)) server = true;
    else if (equals(text, header.METHOD_NAME)) emitted |= Emitted.Method;
    else {
      const noun = nounOf(text);
      if (noun !== Noun.None) emitted |= emittedBy(noun);
      else refuse(section, EMIT, i, AN_EMITTED, elements.at(i));
    }
  }
  if (!server) section.problems.add(section.problems.at(section.placeOf(EMIT)).bytes(NEEDS_SERVER));
  return emitted;
}

/** The noun whose names such a header has. */
function nounOf(name: Span): Noun {
  for (let noun = FIRST_NOUN; noun <= LAST_NOUN; noun++) if (equals(name, nounRow(noun).header)) return noun;
  return Noun.None;
}

function textIn(value: Span, section: Section): Span {
  return kindOf(value) === Kind.String ? textOf(value, section.arena) : NONE;
}

function refuse(section: Section, name: Span, index: i32, what: Span, found: Span): void {
  mustBe(elementPlace(section.placeOf(name), index, section.arena), what, found, section.problems);
}

function isResponseHeader(text: Span): bool {
  if (length(text) < 2) return false;
  const starred = load<u8>(limit(text) - 1) === ASTERISK;
  const name = starred ? first(text, (length(text) - 1) as u32) : text;
  return isMadeOf(name, TOKEN_CHARACTERS) && !equals(name, header.SESSION_ID) && !equals(name, header.GATEWAY);
}
