import { newArena } from '../../../filter/bytes/arena';
import { Span, span, NONE } from '../../../filter/bytes/span';
import { Parsed, parseGateway } from '../../../filter/config/parse';
import { CredentialKind } from '../../../filter/model/credentials';
import { Gateway } from '../../../filter/model/gateway';
import { structToJson } from '../../../filter/config/struct';
import { Key } from '../../../filter/model/keyring';

const arena = newArena(16384);
let parsed: Parsed = parseGateway(NONE, NONE, arena);
let gateway: Gateway = parsed.gateway;

export function configParse(text: usize, count: u32, environment: usize, environmentCount: u32): void {
  arena.reset();
  parsed = parseGateway(span(text, count), span(environment, environmentCount), arena);
  gateway = parsed.gateway;
}

export function configProblems(): i32 {
  return parsed.problems.lines.count;
}

export function configProblem(index: i32): Span {
  return parsed.problems.lines.at(index);
}

export function configName(): Span {
  return gateway.name;
}

export function configVia(): Span {
  return gateway.via;
}

export function configEmitted(): u32 {
  return gateway.emitted;
}

export function configResponseHeaders(): i32 {
  return gateway.responseHeaders.patterns.count;
}

export function configResponseHeader(index: i32): Span {
  return gateway.responseHeaders.patterns.at(index);
}

export function configCacheScope(index: i32): i32 {
  return gateway.serverAt(index).cacheScope;
}

export function configEndpoint(): Span {
  return gateway.endpoint;
}

export function configHostMode(): i32 {
  return gateway.hostMode;
}

export function configLogLevel(): u32 {
  return gateway.logLevel;
}

export function configSessionTtl(): u32 {
  return gateway.sessionTtl;
}

export function configHeldBody(): u32 {
  return gateway.limits.heldBody;
}

export function configDrainBytes(): u32 {
  return gateway.limits.drainBytes;
}

export function configHandshakeTimeout(): u32 {
  return gateway.limits.handshakeTimeout;
}

export function configListTimeout(): u32 {
  return gateway.limits.listTimeout;
}

export function configCallTimeout(): u32 {
  return gateway.limits.callTimeout;
}

export function configListPages(): u32 {
  return gateway.limits.listPages;
}

export function configListBytes(): u32 {
  return gateway.limits.listBytes;
}

export function configFanOut(): u32 {
  return gateway.limits.fanOut;
}

export function configKeys(): i32 {
  return gateway.keys.keys.count;
}

export function configKeyId(index: i32): u32 {
  return keyAt(index).id;
}

export function configKeyBytes(index: i32): Span {
  return span(keyAt(index).bytes, 32);
}

export function configServers(): i32 {
  return gateway.servers.count;
}

export function configServerName(index: i32): Span {
  return gateway.serverAt(index).name;
}

export function configServerCluster(index: i32): Span {
  return gateway.serverAt(index).cluster;
}

export function configServerAuthority(index: i32): Span {
  return gateway.serverAt(index).authority;
}

export function configServerPath(index: i32): Span {
  return gateway.serverAt(index).path;
}

export function configServerPrefix(index: i32): Span {
  return gateway.serverAt(index).prefix;
}

export function configServerRevision(index: i32): i32 {
  return gateway.serverAt(index).revision;
}

export function configServerCallTimeout(index: i32): u32 {
  return gateway.serverAt(index).callTimeout;
}

export function configServerFingerprint(index: i32): u64 {
  return gateway.serverAt(index).fingerprint;
}

export function configCredentialKind(index: i32): CredentialKind {
  return gateway.serverAt(index).credentials.kind;
}

export function configCredentialHeader(index: i32): Span {
  return gateway.serverAt(index).credentials.header;
}

export function configCredentialValue(index: i32): Span {
  return gateway.serverAt(index).credentials.value;
}

export function configPassedHeaders(index: i32): i32 {
  return gateway.serverAt(index).credentials.headers.count;
}

export function configPassedHeader(index: i32, header: i32): Span {
  return gateway.serverAt(index).credentials.headers.at(header);
}

/** A Struct in protobuf's wire form as JSON. */
export function configStruct(wire: usize, count: u32): Span {
  arena.reset();
  return structToJson(span(wire, count), arena);
}

function keyAt(index: i32): Key {
  return changetype<Key>(gateway.keys.keys.at(index) as usize);
}
