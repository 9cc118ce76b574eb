import { Span, equals, literal } from '../bytes/span';
import * as header from './headers';
import { LAST_METHOD, Method, methodText } from './methods';

/** What a request asked for, as a label: a Method, or what it is without a message. */
export type MethodLabel = u32;

export const OTHER_METHOD: MethodLabel = 0;
const DELETE_LABEL: MethodLabel = LAST_METHOD + 1;
const GET_LABEL: MethodLabel = LAST_METHOD + 2;
const OPTIONS_LABEL: MethodLabel = LAST_METHOD + 3;

const OTHER = literal('other');

/** @param method of the message, Unknown where it was not read @param httpMethod of the request */
export function methodLabel(method: Method, httpMethod: Span): MethodLabel {
  if (method !== Method.Unknown) return method;
  if (equals(httpMethod, header.DELETE)) return DELETE_LABEL;
  if (equals(httpMethod, header.OPTIONS)) return OPTIONS_LABEL;
  return equals(httpMethod, header.GET) ? GET_LABEL : OTHER_METHOD;
}

export function methodLabelText(method: MethodLabel): Span {
  if (method === OTHER_METHOD) return OTHER;
  if (method === DELETE_LABEL) return header.DELETE;
  if (method === OPTIONS_LABEL) return header.OPTIONS;
  return method === GET_LABEL ? header.GET : methodText(method);
}
