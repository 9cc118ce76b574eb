import { List } from '../bytes/list';
import { Span } from '../bytes/span';

/** The id of the key that this Envoy has made for itself; configured ones begin at 1. */
export const PROCESS_KEY_ID: u32 = 0;

/** An AEAD key and the number under which tokens name it. */
@unmanaged
export class Key {
  id: u32;
  /** KEY_SIZE bytes */
  bytes: usize;
  /**
   * Fingerprints of servers, see config/fingerprints.ts: under the sealing key, and under this one.
   *
   *     │ sealing (8) │ this (8) │ …
   */
  prints: usize;
  printed: i32;

  setPrint(index: i32, sealing: u64, own: u64): void {
    store<u64>(this.prints + ((index as usize) << 4), sealing);
    store<u64>(this.prints + ((index as usize) << 4), own, 8);
  }

  /** The fingerprint that a server had when this key sealed. @param fingerprint that it has now */
  fingerprintOf(fingerprint: u64): u64 {
    for (let i = 0; i < this.printed; i++) {
      const at = this.prints + ((i as usize) << 4);
      if (load<u64>(at) === fingerprint) return load<u64>(at, 8);
    }
    return fingerprint;
  }
}

/** The first seals, all open: a new key is put first and the old one stays until its last token has expired. */
@unmanaged
export class KeyRing {
  keys: List;
  /** The name of the gateway that they are for: in slots, where gateways of one Envoy meet. */
  gateway: Span;

  get sealing(): Key {
    return changetype<Key>(this.keys.at(0) as usize);
  }

  /** Whether no other Envoy can open what is sealed here. */
  get isOfOneEnvoy(): bool {
    return this.sealing.id === PROCESS_KEY_ID;
  }

  find(id: u32): Key | null {
    for (let i = 0; i < this.keys.count; i++) {
      const key = changetype<Key>(this.keys.at(i) as usize);
      if (key.id === id) return key;
    }
    return null;
  }
}
