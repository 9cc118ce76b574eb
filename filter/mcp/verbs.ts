import { Span, equals, literal } from '../bytes/span';
import * as header from './headers';
import { LAST_METHOD, Method, methodText } from './methods';

/** What a request asked for, as a label: a Method, or what it is without a message. */
export type Verb = u32;

export const OTHER_VERB: Verb = 0;
const DELETE_VERB: Verb = LAST_METHOD + 1;
const GET_VERB: Verb = LAST_METHOD + 2;
const OPTIONS_VERB: Verb = LAST_METHOD + 3;

const OTHER = literal('other');
const GET = literal('GET');

/** @param method of the message, Unknown where it was not read @param httpMethod of the request */
export function verbOf(method: Method, httpMethod: Span): Verb {
  if (method !== Method.Unknown) return method;
  if (equals(httpMethod, header.DELETE)) return DELETE_VERB;
  if (equals(httpMethod, header.OPTIONS)) return OPTIONS_VERB;
  return equals(httpMethod, GET) ? GET_VERB : OTHER_VERB;
}

export function verbText(verb: Verb): Span {
  if (verb === OTHER_VERB) return OTHER;
  if (verb === DELETE_VERB) return header.DELETE;
  if (verb === OPTIONS_VERB) return header.OPTIONS;
  return verb === GET_VERB ? GET : methodText(verb);
}
