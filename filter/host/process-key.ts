import { Arena, make, scratch } from '../bytes/arena';
import { Span, literal, length, pointer, span, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { fingerprintServers } from '../config/fingerprints';
import { Gateway } from '../model/gateway';
import { KEY_SIZE } from '../crypto/aead';
import { Key, PROCESS_KEY_ID } from '../model/keyring';
import { Level, line, log } from './log';
import { random } from './random';
import { get, setIfAbsent } from './shared';

const SLOT = literal('sluice/key/');
const WARNING = literal(
  'no sessions.keys configured: sessions are sealed with a key made by this Envoy, ' +
    'so a restart ends them and no other replica can serve them',
);

/**
 * Where the configuration names no key, all workers of this Envoy share one, made by the first that needs it. On Istio
 * other plugins of the same Envoy could read it there: a reason to configure one.
 */
export function ensureKey(gateway: Gateway, arena: Arena): void {
  if (gateway.keys.keys.count > 0) return;
  const slot = newWriter(scratch, 80).bytes(SLOT).bytes(gateway.name).written;
  let bytes = get(slot);
  if (bytes === NONE) {
    setIfAbsent(slot, random(KEY_SIZE as usize, scratch));
    log(Level.Warn, line().bytes(WARNING).written, gateway.logLevel);
    bytes = get(slot);
  }
  if (length(bytes) === KEY_SIZE) takeKey(gateway, bytes, arena);
}

/** The key of the same gateway before its catalog changed: sessions go on, whatever has become of the shared one. */
export function inheritKey(gateway: Gateway, before: Gateway, arena: Arena): void {
  if (gateway.keys.keys.count > 0 || before.keys.keys.count === 0) return;
  takeKey(gateway, span(before.keys.sealing.bytes, KEY_SIZE), arena);
}

function takeKey(gateway: Gateway, bytes: Span, arena: Arena): void {
  const key = make<Key>(arena);
  key.id = PROCESS_KEY_ID;
  key.bytes = pointer(arena.copy(bytes));
  gateway.keys.keys.push(changetype<usize>(key) as u64);
  fingerprintServers(gateway, arena);
}
