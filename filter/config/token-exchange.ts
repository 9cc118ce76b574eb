import { AMPERSAND, AT_SIGN, COLON, EQUALS_SIGN, SLASH } from '../bytes/ascii';
import { standardText } from '../bytes/base64';
import { make } from '../bytes/arena';
import { names } from '../bytes/name-list';
import { Span, after, first, indexOf, length, literal, startsWith, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { TokenExchange } from '../model/token-exchange';
import { writePercent } from '../template/text';
import { isUrl } from './auth';
import { secret } from './credentials';
import { Environment } from './environment';
import { readScopeList, scopeText } from './scopes';
import { Section } from './section';
import { isVisibleText } from './values';

/** `credentials: { type: exchange }`, for what a caller's token is exchanged (RFC 8693 §2.1). */
const CLIENT_MEMBERS = names('id env');
const TOKEN_ENDPOINT = literal('tokenEndpoint');
const CLUSTER = literal('cluster');
const CLIENT = literal('client');
const ID = literal('id');
const ENV = literal('env');
const AUDIENCE = literal('audience');
const RESOURCE = literal('resource');
const SCOPES = literal('scopes');
const SCOPE = literal('scope');

const SCHEME_END = literal('://');
const ROOT_PATH = literal('/');
const BASIC = literal('Basic ');
const GRANT = literal('grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange');
const REQUESTED = literal('requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token');
const SUBJECT_TYPE = literal('subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token');
const SUBJECT = literal('subject_token=');

const AN_ENDPOINT = literal('an http or https URL without a user or a fragment');
const A_CLUSTER = literal('the name of an Envoy cluster, without spaces');
const A_URL = literal('an http or https URL without a fragment');

export function readTokenExchange(section: Section, environment: Environment): TokenExchange {
  const exchange = make<TokenExchange>(section.arena);
  readEndpoint(section, exchange);
  exchange.cluster = section.required(CLUSTER);
  if (exchange.cluster !== NONE && !isVisibleText(exchange.cluster)) section.mustBe(CLUSTER, A_CLUSTER);
  exchange.authorization = readClient(section, environment);
  const form = newWriter(section.arena, 512).bytes(GRANT).byte(AMPERSAND).bytes(REQUESTED);
  add(form, AUDIENCE, section.text(AUDIENCE, NONE));
  const resource = section.text(RESOURCE, NONE);
  if (resource !== NONE && !isUrl(resource)) section.mustBe(RESOURCE, A_URL);
  add(form, RESOURCE, resource);
  if (section.get(SCOPES) !== NONE) add(form, SCOPE, scopeText(readScopeList(section, SCOPES)));
  exchange.form = form.byte(AMPERSAND).bytes(SUBJECT_TYPE).byte(AMPERSAND).bytes(SUBJECT).written;
  return exchange;
}

function add(form: Writer, name: Span, value: Span): void {
  if (length(value) === 0) return;
  writePercent(form.byte(AMPERSAND).bytes(name).byte(EQUALS_SIGN), value, false);
}

function readEndpoint(section: Section, exchange: TokenExchange): void {
  const url = section.required(TOKEN_ENDPOINT);
  if (url === NONE) return;
  const behind = isUrl(url) ? behindScheme(url) : NONE;
  const slash = behind === NONE ? -1 : indexOf(behind, SLASH);
  exchange.authority = slash < 0 ? behind : first(behind, slash as u32);
  exchange.path = slash < 0 ? ROOT_PATH : after(behind, slash as u32);
  if (length(exchange.authority) === 0 || indexOf(exchange.authority, AT_SIGN) >= 0) {
    section.mustBe(TOKEN_ENDPOINT, AN_ENDPOINT);
  }
}

function behindScheme(url: Span): Span {
  const rest = after(url, indexOf(url, COLON) as u32);
  return startsWith(rest, SCHEME_END) ? after(rest, SCHEME_END as u32) : NONE;
}

/** How the gateway shows there who it is (RFC 6749 §2.3.1), or NONE: it does not. */
function readClient(parent: Section, environment: Environment): Span {
  if (parent.get(CLIENT) === NONE) return NONE;
  const section = parent.section(CLIENT, CLIENT_MEMBERS);
  const id = section.required(ID);
  const env = section.required(ENV);
  const password: Span = env === NONE ? NONE : secret(section, env, environment);
  if (id === NONE || password === NONE) return NONE;
  const pair = newWriter(section.arena, 128);
  writePercent(pair, id, true);
  writePercent(pair.byte(COLON), password, true);
  return newWriter(section.arena, 192).bytes(BASIC).bytes(standardText(pair.written, section.arena)).written;
}
