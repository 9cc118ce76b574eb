import { Arena, make } from '../bytes/arena';
import { newHeaderList } from '../bytes/pairs';
import { Span, equalsIgnoringCase, first, length, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import * as header from '../mcp/headers';
import { clipped } from '../mcp/header-text';
import { CatalogSource } from '../model/catalog';
import { CatalogState } from '../session/catalog-state';
import { Answer, Ending } from './answer';
import { Callout } from './callout';

/** A gateway asks a plugin server for its catalog: the request, and what is wrong with what comes of it. */
const USER_AGENT = literal('user-agent');
const SLUICE = literal('sluice');
const IF_NONE_MATCH = literal('if-none-match');
const BEARER = literal('Bearer ');
const COMMA = literal(', ');
/** Bytes of a media type in a message. */
const MOST_TYPE = 64;

const NO_CLUSTER = literal('Envoy has no cluster of the name that catalog.cluster says');
const NO_ENDPOINT = literal('the cluster of the plugin server has no endpoint that can be asked');
const NO_ANSWER = literal('the plugin server did not answer in time');
const BROKEN = literal('the connection to the plugin server broke, or was refused');
const NO_TOKEN = literal('the plugin server wants a token that may read this catalog (HTTP 401): see catalog.token');
const NO_CATALOG = literal('the plugin server has no catalog of this namespace (HTTP 404), or is no plugin server');
const HTTP = literal('the plugin server answers with HTTP ');
const NO_JSON = literal('the plugin server answers with something other than JSON: ');
const NO_TYPE = literal('no content-type');
const TOO_LARGE = literal('the catalog is larger than catalog.maxBytes: ');
const BYTES = literal(' bytes');

/** @param isKnown this worker serves what the state tells of, so that it need not be sent again */
export function askForCatalog(source: CatalogSource, state: CatalogState, isKnown: bool, arena: Arena): Callout {
  const callout = make<Callout>(arena);
  callout.cluster = source.cluster;
  callout.body = newWriter(arena, 1).written;
  callout.headers = newHeaderList(arena)
    .add(header.METHOD, header.GET)
    .add(header.PATH, source.path)
    .add(header.AUTHORITY, source.authority)
    .add(USER_AGENT, SLUICE)
    .add(header.ACCEPT, header.JSON_TYPE)
    .add(header.ACCEPT_ENCODING, header.IDENTITY);
  if (source.token !== NONE) {
    callout.headers.add(header.AUTHORIZATION, newWriter(arena, 128).bytes(BEARER).bytes(source.token).written);
  }
  const tags = newWriter(arena, 128);
  if (isKnown) tags.bytes(state.tag);
  if (tags.size > 0 && length(state.refusedTag) > 0) tags.bytes(COMMA);
  tags.bytes(state.refusedTag);
  if (tags.size > 0) callout.headers.add(IF_NONE_MATCH, tags.written);
  return callout;
}

/** Why an answer is not one to be read, or NONE: it is 200 or 304. @param size of its body */
export function catalogFailure(answer: Answer, source: CatalogSource, size: u32, arena: Arena): Span {
  switch (answer.ending) {
    case Ending.Response:
      break;
    case Ending.NoCluster:
      return NO_CLUSTER;
    case Ending.NoHost:
      return NO_ENDPOINT;
    case Ending.Broken:
      return BROKEN;
    default:
      return NO_ANSWER;
  }
  if (answer.status === 304) return NONE;
  if (answer.status === 401) return NO_TOKEN;
  if (answer.status === 404) return NO_CATALOG;
  if (answer.status !== 200) {
    return newWriter(arena, 64)
      .bytes(HTTP)
      .decimal(answer.status as u64).written;
  }
  const type = answer.contentType === NONE ? NO_TYPE : answer.contentType;
  const least = length(header.JSON_TYPE);
  if (length(type) < least || !equalsIgnoringCase(first(type, least as u32), header.JSON_TYPE)) {
    return newWriter(arena, 128).bytes(NO_JSON).bytes(clipped(type, MOST_TYPE)).written;
  }
  if (size <= source.maxBytes) return NONE;
  return newWriter(arena, 64)
    .bytes(TOO_LARGE)
    .decimal(size as u64)
    .bytes(BYTES).written;
}
