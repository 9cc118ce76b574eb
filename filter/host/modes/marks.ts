import { make, scratch } from '../../bytes/arena';
import { literal, pointer, NONE, length } from '../../bytes/span';
import { newWriter } from '../../bytes/writer';
import { property, setProperty } from '../properties';
import { vmNonce } from '../vm';

/**
 * What the two filters of a pair tell each other through the filter state of a stream, which no client can write. While
 * an upgrade is under way they are of two versions, so the form never changes:
 *
 *     sluice_decider:  │ context id (4) │ nonce of its VM (8) │   by the decider, on every request that is for it
 *     sluice_holder:   `elsewhere`                                by the holder, where that VM is not its own
 */
const DECIDER = literal('sluice_decider');
const HOLDER = literal('sluice_holder');
const ELSEWHERE = literal('elsewhere');
const MARK_SIZE = 12;

/** What a holder finds of its decider. */
@unmanaged
export class DeciderMark {
  /** False: in another VM, or of a version that marks otherwise. */
  isNear: bool;
  id: u32;
}

export function markDecider(id: u32): void {
  setProperty(DECIDER, newWriter(scratch, MARK_SIZE).u32(id).u64(vmNonce()).written);
}

/** Null: no decider has seen this request, or it is not for one. */
export function deciderMark(): DeciderMark | null {
  const value = property(DECIDER);
  if (value === NONE) return null;
  const mark = make<DeciderMark>(scratch);
  if (length(value) !== MARK_SIZE) return mark;
  mark.id = load<u32>(pointer(value));
  // Context ids repeat across VMs: without the nonce, the id of another VM's stream could name one of ours.
  mark.isNear = load<u64>(pointer(value), 4) === vmNonce();
  return mark;
}

export function markHolderElsewhere(): void {
  setProperty(HOLDER, ELSEWHERE);
}

export function isHolderElsewhere(): bool {
  return property(HOLDER) !== NONE;
}
