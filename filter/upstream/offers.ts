import { Arena } from '../bytes/arena';
import { Span, length, literal, NONE } from '../bytes/span';
import { kindOf, Kind, member } from '../json/reader';
import { CAPABILITY_COUNT, Capability, capabilityName, capabilityText, SUBSCRIBE } from '../mcp/capabilities';
import { UpstreamCall } from './call';

const CAPABILITIES = literal('capabilities');
const INSTRUCTIONS = literal('instructions');

/** What a server says of itself when a conversation begins, in either era. @param result an object, as JSON */
export function takeOffers(call: UpstreamCall, result: Span, scratch: Arena, arena: Arena): void {
  const capabilities = member(result, CAPABILITIES, scratch);
  call.upstream.offers = offersIn(capabilities, scratch);
  if (capabilities !== NONE) call.capabilities = arena.copy(capabilities);
  const instructions = member(result, INSTRUCTIONS, scratch);
  if (instructions !== NONE && kindOf(instructions) === Kind.String && length(instructions) > 2) {
    call.instructions = arena.copy(instructions);
  }
}

/** Bits of Capability. @param capabilities of a server, as JSON, or NONE */
function offersIn(capabilities: Span, scratch: Arena): u32 {
  let offers: u32 = 0;
  for (let i = 0; i < CAPABILITY_COUNT; i++) {
    if (member(capabilities, capabilityName(i), scratch) !== NONE) offers |= 1 << i;
  }
  const resources = member(capabilities, capabilityText(Capability.Resources), scratch);
  const subscribe = member(resources, SUBSCRIBE, scratch);
  if (subscribe !== NONE && kindOf(subscribe) === Kind.True) offers |= Capability.Subscribe;
  return offers;
}
