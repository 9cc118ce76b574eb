import { Span, length } from '../bytes/span';
import { Server } from '../model/server';
import { Scope } from './scope';

/** Of a tool's upstream name in bytes; MCP says 128 characters. It goes into a header, which has to fit. */
const MAX_NAME = 1024;

/**
 * Whether a tool exists for this request, by its upstream name. The one decision for both sides: a list shows what this
 * lets through, a call reaches what this lets through, so that what is listed can be called and nothing else can.
 *
 *     path ∩ header ∩ rules of the server
 */
export function mayUse(server: Server, name: Span, scope: Scope): bool {
  if (length(name) === 0 || length(name) > MAX_NAME || !server.rules.admit(name)) return false;
  const path = scope.path;
  if (path !== null && !path.has(server.index, name)) return false;
  const header = scope.header;
  return header === null || header.has(server.index, name);
}

/** Whether there may be a tool of this server that `mayUse` lets through. Where not, this request must not show it. */
export function mayReach(server: Server, scope: Scope): bool {
  const path = scope.path;
  if (path === null ? !server.shown : !path.reaches(server.index)) return false;
  const header = scope.header;
  return header === null || header.reaches(server.index);
}
