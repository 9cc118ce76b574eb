import { Span, equals, literal, NONE } from '../bytes/span';

/** What a client can ask for. */
export const enum Method {
  Unknown,
  Initialize,
  Ping,
  ToolsList,
  ToolsCall,
  Cancelled,
}

export const LAST_METHOD: i32 = Method.Cancelled;

export const INITIALIZE = literal('initialize');
export const PING = literal('ping');
export const TOOLS_LIST = literal('tools/list');
export const TOOLS_CALL = literal('tools/call');
export const CANCELLED = literal('notifications/cancelled');

export function methodText(method: Method): Span {
  switch (method) {
    case Method.Initialize:
      return INITIALIZE;
    case Method.Ping:
      return PING;
    case Method.ToolsList:
      return TOOLS_LIST;
    case Method.ToolsCall:
      return TOOLS_CALL;
    case Method.Cancelled:
      return CANCELLED;
    default:
      return NONE;
  }
}

export function methodOf(text: Span): Method {
  if (text === NONE) return Method.Unknown;
  for (let method: i32 = LAST_METHOD; method > Method.Unknown; method--) {
    if (equals(text, methodText(method))) return method;
  }
  return Method.Unknown;
}
