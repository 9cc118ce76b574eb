import { Arena, make } from '../bytes/arena';
import { Span, equals, literal, NONE } from '../bytes/span';
import { kindOf, Kind, member, walkThrough } from '../json/reader';
import { textOf } from '../json/text';
import { Capability, EXTENSIONS, extensionName, KNOWN_EXTENSIONS } from '../mcp/capabilities';
import { Reason } from '../mcp/errors';
import { Method } from '../mcp/methods';
import { Revision, STATELESS } from '../mcp/revisions';
import { Answer, Failure } from './answer';
import { UpstreamCall } from './call';
import { post } from './callout';
import { Introduction } from './introduction';
import { newRequestId } from './message';
import { takeOffers } from './offers';
import { statelessRequest } from './stateless-message';

/** Servers without sessions, 2026-07-28: `server/discover` says what they offer, and headers repeat what is asked for. */

/** The step of a call in which that was sent. */
export const DISCOVERED = 4;

const RESULT = literal('result');
const NO_STATELESS = literal('it does not speak 2026-07-28');
const SUPPORTED_VERSIONS = literal('supportedVersions');

/** See `MessageDialect.open`. */
export function discover(
  call: UpstreamCall,
  introduction: Introduction | null,
  client: Span,
  now: u64,
  arena: Arena,
  _like: UpstreamCall | null,
): void {
  if (introduction !== null) call.introduction = kept(introduction, arena);
  call.step = DISCOVERED;
  call.upstream.revision = Revision.V2026_07_28;
  call.upstream.sessionId = NONE;
  call.id = newRequestId(now, DISCOVERED, arena);
  const body = statelessRequest(call.id, Method.Discover, NONE, arena);
  call.callout = post(call.server, call.upstream, body, client, arena, Method.Discover);
}

function kept(introduction: Introduction, arena: Arena): Introduction {
  const copy = make<Introduction>(arena);
  copy.revision = introduction.revision;
  copy.capabilities = arena.copy(introduction.capabilities);
  copy.info = arena.copy(introduction.info);
  return copy;
}

/** See `MessageDialect.take`. */
export function takeDiscovered(
  call: UpstreamCall,
  _answer: Answer,
  response: Span,
  failure: Failure,
  scratch: Arena,
  arena: Arena,
): void {
  const result = member(response, RESULT, scratch);
  if (result === NONE || kindOf(result) !== Kind.Object || !isListed(result, STATELESS, scratch)) {
    failure.set(Reason.UpstreamEra, NO_STATELESS);
    return;
  }
  takeOffers(call, result, scratch, arena);
  // They went with sessions.
  call.upstream.offers &= ~(Capability.Logging | Capability.Subscribe);
  const extensions = member(call.capabilities, EXTENSIONS, scratch);
  for (let known = KNOWN_EXTENSIONS; known !== 0; known &= known - 1) {
    const extension = known & -known;
    if (member(extensions, extensionName(extension), scratch) !== NONE) call.upstream.offers |= extension;
  }
}

/** Whether it is one of the revisions that a result of `server/discover` lists. */
function isListed(result: Span, revision: Span, scratch: Arena): bool {
  const versions = member(result, SUPPORTED_VERSIONS, scratch);
  if (versions === NONE || kindOf(versions) !== Kind.Array) return false;
  for (const walk = walkThrough(versions, scratch); walk.next();) {
    if (kindOf(walk.value) === Kind.String && equals(textOf(walk.value, scratch), revision)) return true;
  }
  return false;
}
