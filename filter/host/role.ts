import { Span, after, length, literal, equals } from '../bytes/span';
import { HostMode } from '../model/host-mode';

/**
 * What one loaded filter does. What differs between roles is in modes/table.ts; elsewhere only the questions below are
 * asked.
 */
export const enum Role {
  /** Host mode `hold`: all of it. */
  Hold,
  /** Host mode `pair`: reads and decides; all that is known of a request lives here. */
  Decider,
  /** Host mode `pair`: keeps the headers until the decider knows. */
  Holder,
  /** Host mode `headers`: decides on the headers alone. */
  Headers,
}

/** It keeps the headers of a request while it reads the body. */
export function holdsWhileReading(role: Role): bool {
  return role === Role.Hold;
}

/** Another filter keeps the headers for it. */
export function hasHolder(role: Role): bool {
  return role === Role.Decider;
}

/** It is that other filter, and decides nothing. */
export function onlyHolds(role: Role): bool {
  return role === Role.Holder;
}

/** It decides before the body has come. */
export function decidesByHeaders(role: Role): bool {
  return role === Role.Headers;
}

const HOLDER_SUFFIX = literal('-holder');

/** By its root id, which Istio takes from `pluginName`: `sluice-holder` holds, any other decides. */
export function isHolder(rootId: Span): bool {
  const most = length(HOLDER_SUFFIX);
  return length(rootId) >= most && equals(after(rootId, (length(rootId) - most) as u32), HOLDER_SUFFIX);
}

export function roleOf(mode: HostMode, holder: bool): Role {
  if (holder) return Role.Holder;
  switch (mode) {
    case HostMode.Pair:
      return Role.Decider;
    case HostMode.Headers:
      return Role.Headers;
    default:
      return Role.Hold;
  }
}
