import { List } from '../bytes/list';

/** An AEAD key and the number under which tokens name it. */
@unmanaged
export class Key {
  id: u32;
  /** KEY_SIZE bytes */
  bytes: usize;
}

/** The first seals, all open: a new key is put first and the old one stays until its last token has expired. */
@unmanaged
export class KeyRing {
  keys: List;

  get sealing(): Key {
    return changetype<Key>(this.keys.at(0) as usize);
  }

  find(id: u32): Key | null {
    for (let i = 0; i < this.keys.count; i++) {
      const key = changetype<Key>(this.keys.at(i) as usize);
      if (key.id === id) return key;
    }
    return null;
  }
}
