import { CARRIAGE_RETURN, EQUALS_SIGN, LINE_FEED } from '../bytes/ascii';
import { Span, between, pointer, limit, length, startsWith, after, NONE } from '../bytes/span';

/**
 * The variables that `host_env_keys` lets through, as the host gives them: `NAME=value`, NUL, `NAME=value`, NUL …
 * Secrets come from here, since Envoy shows every plugin configuration to whoever reads its /config_dump.
 */
export type Environment = Span;

/**
 * The value of a variable without the line ends behind it, or NONE where it is not set. A secret that was put into the
 * environment out of a file ends like the file; neither a key nor a header value can hold a line end.
 */
export function variable(environment: Environment, name: Span): Span {
  let from = pointer(environment);
  for (let at = from; at < limit(environment); at++) {
    if (load<u8>(at) !== 0) continue;
    const entry = between(from, at);
    if (startsWith(entry, name) && length(entry) > length(name)) {
      const rest = after(entry, length(name) as u32);
      if (load<u8>(pointer(rest)) === EQUALS_SIGN) return withoutLineEnds(between(pointer(rest) + 1, at));
    }
    from = at + 1;
  }
  return NONE;
}

function withoutLineEnds(value: Span): Span {
  let end = limit(value);
  while (end > pointer(value) && (load<u8>(end - 1) === LINE_FEED || load<u8>(end - 1) === CARRIAGE_RETURN)) end--;
  return between(pointer(value), end);
}
