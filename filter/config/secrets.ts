import { CLOSING_BRACE, CLOSING_BRACKET, COLON, COMMA, OPENING_BRACE, OPENING_BRACKET, QUOTE } from '../bytes/ascii';
import { Span, equals, literal, NONE } from '../bytes/span';
import { newWriter, Writer } from '../bytes/writer';
import { kindOf, Kind, member, walkThrough } from '../json/reader';
import { textOf, writeEscaped } from '../json/text';
import { Gateway } from '../model/gateway';
import { addUnset } from './bad-variable';
import { Environment, variable } from './environment';
import { elementPlace, memberPlace, Place, Problems } from './problems';

/**
 * Values that may be secrets: `{ env: NAME }`, so that they are in no configuration that Envoy shows. Written as they are
 * they are refused, unless `insecureInline` says that they are none, or that it does not matter.
 */
const ENV = literal('env');
const EMPTY = literal('""');
const INLINE = literal(
  'may be a secret, and Envoy shows its configuration to whoever reads /config_dump: write { env: NAME } and give the ' +
    'module that variable, or set insecureInline: true',
);
const TOO_DEEP = literal('is nested too deep');
const MOST_DEPTH = 16;

/** The name of the variable where a value is `{ env: NAME }`, else NONE. */
function variableIn(value: Span, problems: Problems): Span {
  if (kindOf(value) !== Kind.Object) return NONE;
  let count = 0;
  for (const walk = walkThrough(value, problems.arena); walk.next();) count++;
  const name = member(value, ENV, problems.arena);
  if (count !== 1 || name === NONE || kindOf(name) !== Kind.String) return NONE;
  return textOf(name, problems.arena);
}

/** A value as JSON, with what stands in the environment put in. */
export function resolved(
  value: Span,
  place: Place,
  gateway: Gateway,
  environment: Environment,
  problems: Problems,
): Span {
  const writer = newWriter(problems.arena, 256);
  write(writer, value, place, gateway, environment, problems, 0);
  return writer.written;
}

function write(
  writer: Writer,
  value: Span,
  place: Place,
  gateway: Gateway,
  environment: Environment,
  problems: Problems,
  depth: i32,
): void {
  const arena = problems.arena;
  if (depth > MOST_DEPTH) {
    problems.add(problems.at(place).bytes(TOO_DEEP));
    return;
  }
  const name = variableIn(value, problems);
  if (name !== NONE) {
    const found = variable(environment, name);
    if (found === NONE) addUnset(problems, memberPlace(place, ENV, arena), name);
    else writeEscaped(writer.byte(QUOTE), found);
    if (found === NONE) writer.byte(QUOTE);
    writer.byte(QUOTE);
    return;
  }
  const kind = kindOf(value);
  if (kind !== Kind.Object && kind !== Kind.Array) {
    if (!gateway.insecureInline && kind !== Kind.Null && !equals(value, EMPTY))
      problems.add(problems.at(place).bytes(INLINE));
    writer.bytes(value);
    return;
  }
  const named = kind === Kind.Object;
  writer.byte(named ? OPENING_BRACE : OPENING_BRACKET);
  let index = 0;
  for (const walk = walkThrough(value, arena); walk.next();) {
    if (index > 0) writer.byte(COMMA);
    if (named) writer.bytes(walk.name).byte(COLON);
    const below = named ? memberPlace(place, textOf(walk.name, arena), arena) : elementPlace(place, index, arena);
    write(writer, walk.value, below, gateway, environment, problems, depth + 1);
    index++;
  }
  writer.byte(named ? CLOSING_BRACE : CLOSING_BRACKET);
}

/** A text that may be a secret; NONE where it is absent, or has a problem. */
export function secretText(
  value: Span,
  place: Place,
  gateway: Gateway,
  environment: Environment,
  problems: Problems,
): Span {
  if (value === NONE) return NONE;
  const name = variableIn(value, problems);
  if (name !== NONE) {
    const found = variable(environment, name);
    if (found === NONE) addUnset(problems, memberPlace(place, ENV, problems.arena), name);
    return found;
  }
  if (kindOf(value) !== Kind.String || (!gateway.insecureInline && !equals(value, EMPTY))) {
    problems.add(problems.at(place).bytes(INLINE));
    return NONE;
  }
  return textOf(value, problems.arena);
}
