import { Span, length } from '../bytes/span';
import { FIRST_NOUN, LAST_NOUN, Noun } from '../mcp/nouns';
import { AuthorizationRule } from '../model/authorization';
import { Gateway } from '../model/gateway';
import { Server } from '../model/server';
import { Access } from './permissions';
import { Scope } from './scope';

/** Bytes of an upstream's name; MCP says 128 characters for tools. It goes into a header, which has to fit. */
const MAX_NAME = 1024;

/**
 * Whether a tool, or another noun, exists for this request, by its upstream name. The one decision for both sides: a list shows what this
 * lets through, a call reaches what this lets through, so that what is listed can be called and nothing else can.
 *
 *     path ∩ header ∩ rules of the server ∩ authorization
 *
 * What needs more scopes than the token has (`stepUpFor`) exists, too.
 */
export function mayUse(noun: Noun, server: Server, name: Span, scope: Scope): bool {
  if (length(name) === 0 || length(name) > MAX_NAME || !server.rulesOf(noun).admit(name)) return false;
  const path = scope.path;
  if (path !== null && !path.has(noun, server.index, name)) return false;
  const header = scope.header;
  if (header !== null && !header.has(noun, server.index, name)) return false;
  const permissions = scope.permissions;
  return permissions === null || permissions.accessTo(noun, server.index, name) !== Access.Hidden;
}

/** The rule by which something that exists for this request needs more scopes, or null where it may be used. */
export function stepUpFor(noun: Noun, server: Server, name: Span, scope: Scope): AuthorizationRule | null {
  const permissions = scope.permissions;
  return permissions === null ? null : permissions.stepUpOf(noun, server.index, name);
}

/** Whether there may be one of this server that `mayUse` lets through. Where not, this request must not show it. */
export function mayList(noun: Noun, server: Server, scope: Scope): bool {
  const path = scope.path;
  if (path === null ? !server.rulesOf(noun).showAny : !path.reaches(noun, server.index)) return false;
  const header = scope.header;
  if (header !== null && !header.reaches(noun, server.index)) return false;
  const permissions = scope.permissions;
  return permissions === null || permissions.mayShow(noun, server.index);
}

/** The same of any noun: whether this request may know of the server. */
export function mayReach(server: Server, scope: Scope): bool {
  for (let noun = FIRST_NOUN; noun <= LAST_NOUN; noun++) if (mayList(noun, server, scope)) return true;
  return false;
}

/** The one server that this request may know of; null where there are several, or none. */
export function onlyReachable(gateway: Gateway, scope: Scope): Server | null {
  let found: Server | null = null;
  for (let i = 0; i < gateway.servers.count; i++) {
    const server = gateway.serverAt(i);
    if (!mayReach(server, scope)) continue;
    if (found !== null) return null;
    found = server;
  }
  return found;
}
