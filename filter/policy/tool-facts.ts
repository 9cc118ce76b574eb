import { Arena, make } from '../bytes/arena';
import { Span, pointer, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { DIGEST_SIZE, sha256 } from '../crypto/sha256';
import { Canonical, newCanonical } from '../json/canonical';
import { hintsIn } from '../mcp/tool-hints';
import { Pins } from '../model/pins';
import { Server } from '../model/server';
import { Fact } from '../model/tool-facts';

/** Reads out of the definitions of tools what decisions ask for, one after the other, in the same memory. */
@unmanaged
export class FactReader {
  private pins: Pins | null;
  private canonical: Canonical | null;
  private arena: Arena;

  /** Bits of Hint and Fact. @param tool its definition, as its server sent it. @param name its own */
  factsOf(tool: Span, name: Span, server: Server): u32 {
    let facts = hintsIn(tool, this.arena);
    if (server.isTrusted) facts |= Fact.Trusted;
    const pins = this.pins;
    if (pins === null) return facts | Fact.Listed;
    const shown = newWriter(this.arena, 128).bytes(server.prefix).bytes(name).written;
    const pinned = pins.digestOf(shown);
    if (pinned === 0) return facts | Fact.Listed;
    const digest = this.digestOf(tool);
    const isSame = digest !== NONE && memory.compare(pointer(digest), pinned, DIGEST_SIZE) === 0;
    return facts | Fact.Listed | (isSame ? Fact.Pinned | Fact.Trusted : Fact.Changed);
  }

  /** The digest of a definition; NONE where that is too large, or nested too deep, so that it matches no pin. */
  digestOf(tool: Span): Span {
    if (this.canonical === null) this.canonical = newCanonical(this.arena);
    const form = this.canonical!.of(tool);
    return form === NONE ? NONE : sha256(form, this.arena);
  }

  open(pins: Pins | null, arena: Arena): FactReader {
    this.pins = pins;
    this.arena = arena;
    return this;
  }
}

/** @param pins or null, where nobody asks for digests of them */
export function newFactReader(pins: Pins | null, arena: Arena): FactReader {
  return make<FactReader>(arena).open(pins, arena);
}
