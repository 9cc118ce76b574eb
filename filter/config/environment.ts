import { Span, between, pointer, limit, length, startsWith, after, span, NONE } from '../bytes/span';

/**
 * The variables that `host_env_keys` lets through, as the host gives them: `NAME=value`, NUL, `NAME=value`, NUL …
 * Secrets come from here, since Envoy shows every plugin configuration to whoever reads its /config_dump.
 */
export type Environment = Span;

/** The value of a variable, or NONE where it is not set. */
export function variable(environment: Environment, name: Span): Span {
  let from = pointer(environment);
  for (let at = from; at < limit(environment); at++) {
    if (load<u8>(at) !== 0) continue;
    const entry = between(from, at);
    if (startsWith(entry, name) && length(entry) > length(name)) {
      const rest = after(entry, length(name) as u32);
      if (load<u8>(pointer(rest)) === 0x3d) return span(pointer(rest) + 1, (length(rest) - 1) as u32);
    }
    from = at + 1;
  }
  return NONE;
}
