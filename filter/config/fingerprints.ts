import { Arena } from '../bytes/arena';
import { fingerprint, literal, pointer, span, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { hmacSha256 } from '../crypto/sha256';
import { KEY_SIZE } from '../crypto/aead';
import { Key } from '../model/keyring';
import { CredentialKind } from '../model/credentials';
import { Gateway } from '../model/gateway';
import { Server } from '../model/server';

/**
 * What makes a session with a server, or a list of it, the same one: a server that is configured otherwise shares neither.
 * Its secret is part of that, as a keyed hash, so that nobody without the key can try secrets; under each key of the ring,
 * so that a session goes on for as long as the key that sealed it is there.
 */
const CREDENTIAL = literal('sluice credential');

/** What stands in the configuration. */
export function unkeyedFingerprint(server: Server): u64 {
  let hash = fingerprint(server.name);
  hash = fingerprint(server.cluster, hash);
  hash = fingerprint(server.authority, hash);
  hash = fingerprint(server.path, hash);
  const credentials = server.credentials;
  hash = hash ^ (credentials.kind as u64);
  const exchange = credentials.exchange;
  if (exchange !== null) {
    // Of the endpoint all counts that says who makes the tokens: its cluster, too.
    hash = fingerprint(exchange.cluster, hash);
    hash = fingerprint(exchange.authority, fingerprint(exchange.path, hash));
    return fingerprint(exchange.authorization, fingerprint(exchange.form, hash));
  }
  if (credentials.header !== NONE) return fingerprint(credentials.header, hash);
  for (let i = 0; i < credentials.headers.count; i++) hash = fingerprint(credentials.headers.at(i), hash);
  return hash;
}

/** Gives each server its fingerprint, and each key the names under which it knew them. Once the keys are there. */
export function fingerprintServers(gateway: Gateway, arena: Arena): void {
  const ring = gateway.keys;
  const variants = gateway.variants;
  const own = gateway.servers.count;
  const count = own + (variants === null ? 0 : variants.count);
  for (let i = 0; i < ring.keys.count; i++) {
    const key = changetype<Key>(ring.keys.at(i) as usize);
    key.prints = arena.allocate((count as usize) << 4);
    key.printed = count;
    for (let j = 0; j < count; j++) {
      const server = j < own ? gateway.serverAt(j) : gateway.variantAt(j - own);
      const print = keyedFingerprint(server, key, arena);
      if (i === 0) {
        server.fingerprint = print;
        server.stateFingerprint = j < own ? print : gateway.serverAt(server.index).fingerprint;
      }
      key.setPrint(j, server.fingerprint, print);
    }
  }
}

function keyedFingerprint(server: Server, key: Key, arena: Arena): u64 {
  const credentials = server.credentials;
  if (credentials.kind !== CredentialKind.Header) return server.unkeyedFingerprint;
  const message = newWriter(arena, 128).bytes(CREDENTIAL).u64(server.unkeyedFingerprint).bytes(credentials.value);
  return load<u64>(pointer(hmacSha256(span(key.bytes, KEY_SIZE), message.written, arena)));
}
