import { Span, literal, NONE } from '../bytes/span';
import { writeEscaped } from '../json/text';
import { clipped } from '../mcp/header-text';
import { Place, Problems } from './problems';

const NAMES = literal('names the environment variable "');
const NOT_SET = literal('", which is not set here; list it in host_env_keys of the vm_config');
const NO_KEY = literal('", which does not hold 32 bytes in base64url (43 characters)');
/** Bytes of a name in a line. */
const MOST_BYTES = 128;

/** A variable that a configuration names, and that the module is not given. Its value would be a secret, its name is none. */
export function addUnset(problems: Problems, place: Place, name: Span): void {
  add(problems, place, name, NOT_SET, problems.alsoListed);
}

/** One whose value is no session key. */
export function addNoKey(problems: Problems, place: Place, name: Span): void {
  add(problems, place, name, NO_KEY, NONE);
}

function add(problems: Problems, place: Place, name: Span, fault: Span, more: Span): void {
  const line = problems.at(place).bytes(NAMES);
  writeEscaped(line, clipped(name, MOST_BYTES));
  line.bytes(fault);
  problems.add(more === NONE ? line : line.bytes(more));
}
