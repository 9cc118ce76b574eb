import { scratch } from '../../../filter/bytes/arena';
import { Span, span } from '../../../filter/bytes/span';
import { newWriter } from '../../../filter/bytes/writer';
import { capabilityBits, writeCapabilities } from '../../../filter/mcp/client-capabilities';

/** @param declared a JSON object, or any other value */
export function clientCapabilitiesBits(declared: usize, count: u32): u32 {
  scratch.reset();
  return capabilityBits(span(declared, count), scratch);
}

export function clientCapabilitiesText(bits: u32): Span {
  scratch.reset();
  return writeCapabilities(newWriter(scratch, 16), bits).written;
}
