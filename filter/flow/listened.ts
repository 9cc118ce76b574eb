import { CLOSING_BRACKET, COMMA, OPENING_BRACKET, QUOTE } from '../bytes/ascii';
import { make, scratch } from '../bytes/arena';
import { Span, equals, length, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { folded } from '../json/folded';
import { kindOf, Kind, walkThrough } from '../json/reader';
import { isString, textOf, writeEscaped } from '../json/text';
import { Reason } from '../mcp/errors';
import { Noun } from '../mcp/nouns';
import { isWeb } from '../mcp/resource-uri';
import { Server } from '../model/server';
import { NO_FACTS } from '../model/tool-facts';
import { ownerOfUri, ownUri } from '../model/uri-owner';
import { mayUse, stepUpFor } from '../policy/decision';
import { Exchange } from './exchange';

/** What a `subscriptions/listen` is to tell of: values of JSON, or NONE. */
@unmanaged
export class Listened {
  /** `params.notifications` */
  notifications: Span;
  /** Its `taskIds`, where that is a list with something in it. */
  taskIds: Span;
  /** Its `resourceSubscriptions`, where that is a list. */
  uris: Span;
}

const NOTIFICATIONS = literal('notifications');
const TASK_IDS = literal('taskIds');
const TASK_IDS_FOLDED = literal('taskids');
const URIS = literal('resourceSubscriptions');
const URIS_FOLDED = literal('resourcesubscriptions');
const TWICE = literal('it says twice, or in a spelling that some servers would read as well, what is listened to');

/** Null where two readers could find two lists; `plan.reply` then says so. */
export function listenedIn(exchange: Exchange): Listened | null {
  const message = exchange.message;
  const listened = make<Listened>(scratch);
  const params = message.envelope.text(message.body, message.envelope.params);
  listened.notifications = onlyMember(params, NOTIFICATIONS, NOTIFICATIONS);
  const ids = onlyMember(listened.notifications, TASK_IDS, TASK_IDS_FOLDED);
  const uris = onlyMember(listened.notifications, URIS, URIS_FOLDED);
  if (listened.notifications === AMBIGUOUS || ids === AMBIGUOUS || uris === AMBIGUOUS) {
    exchange.refuse(Reason.ParseError, TWICE);
    return null;
  }
  if (isList(ids) && walkThrough(ids, scratch).next()) listened.taskIds = ids;
  if (isList(uris)) listened.uris = uris;
  return listened;
}

/** No member's value. */
const AMBIGUOUS = literal('ambiguous');

function isList(value: Span): bool {
  return value !== NONE && kindOf(value) === Kind.Array;
}

/** The value of a member, NONE where there is none; `AMBIGUOUS` where it is there twice, or another reader may take another for it. */
function onlyMember(object: Span, name: Span, plain: Span): Span {
  let found = NONE;
  if (object === NONE || object === AMBIGUOUS || kindOf(object) !== Kind.Object) return found;
  for (const walk = walkThrough(object, scratch); walk.next();) {
    const key = walk.key(scratch);
    if (key === NONE || !equals(folded(key, scratch), plain)) continue;
    if (found !== NONE || !equals(key, name)) return AMBIGUOUS;
    found = walk.value;
  }
  return found;
}

/**
 * The list of URIs as the server gets it: its own ones, of those that the caller may read. What is left out is not
 * acknowledged, as what the server does not tell of. NONE: it stays as it is. @param uris a list
 */
export function ownUris(exchange: Exchange, server: Server, uris: Span): Span {
  const own = newWriter(scratch, length(uris) as usize).byte(OPENING_BRACKET);
  let changed = false;
  for (const walk = walkThrough(uris, scratch); walk.next();) {
    const uri: Span = isString(walk.value) ? textOf(walk.value, scratch) : NONE;
    const readable: Span = uri === NONE ? NONE : readableUri(exchange, server, uri);
    if (readable === NONE || !equals(readable, uri)) changed = true;
    if (readable === NONE) continue;
    if (own.size > 1) own.byte(COMMA);
    writeEscaped(own.byte(QUOTE), readable);
    own.byte(QUOTE);
  }
  return changed ? own.byte(CLOSING_BRACKET).written : NONE;
}

/** The server's own URI; NONE where a read would be refused, or would go elsewhere. */
function readableUri(exchange: Exchange, server: Server, uri: Span): Span {
  const gateway = exchange.gateway;
  const scope = exchange.caller.scope;
  const owner = ownerOfUri(gateway, uri);
  if (owner === null ? !isWeb(uri) : owner !== server) return NONE;
  const own = ownUri(server, uri, scratch);
  if (!mayUse(gateway, Noun.Resources, server, own, scope, NO_FACTS)) return NONE;
  return stepUpFor(gateway, Noun.Resources, server, own, scope, NO_FACTS) === null ? own : NONE;
}
