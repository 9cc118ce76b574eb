import { BACKSLASH, DELETE, QUOTE, SPACE } from '../bytes/ascii';
import { List, newList } from '../bytes/list';
import { Span, length, limit, literal, pointer, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { kindOf, Kind } from '../json/reader';
import { textOf } from '../json/text';
import { elementPlace } from './problems';
import { mustBe, Section } from './section';

const A_SCOPE = literal('a scope: visible characters without spaces, quotes and backslashes');

/** The scopes that a member lists, of Span. */
export function readScopeList(section: Section, name: Span): List {
  const scopes = newList(section.arena);
  const elements = section.list(name);
  for (let i = 0; i < elements.count; i++) {
    const value: Span = elements.at(i);
    const scope = kindOf(value) === Kind.String ? textOf(value, section.arena) : NONE;
    if (isScope(scope)) scopes.push(scope);
    else mustBe(elementPlace(section.placeOf(name), i, section.arena), A_SCOPE, value, section.problems);
  }
  return scopes;
}

/** As they stand in a token and in a challenge: a space between (RFC 6749 §3.3). */
export function scopeText(scopes: List): Span {
  const text = newWriter(scopes.arena, 64);
  for (let i = 0; i < scopes.count; i++) {
    if (i > 0) text.byte(SPACE);
    text.bytes(scopes.at(i));
  }
  return text.written;
}

/** RFC 6749 §3.3, so that it can stand in a quoted string of a header as it is. */
function isScope(text: Span): bool {
  if (text === NONE || length(text) === 0) return false;
  for (let at = pointer(text); at < limit(text); at++) {
    const c = load<u8>(at);
    if (c <= SPACE || c >= DELETE || c === QUOTE || c === BACKSLASH) return false;
  }
  return true;
}
