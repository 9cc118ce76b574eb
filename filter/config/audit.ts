import { make } from '../bytes/arena';
import { names, namesIn } from '../bytes/name-list';
import { Span, length, literal, NONE } from '../bytes/span';
import { folded } from '../json/folded';
import { kindOf, Kind } from '../json/reader';
import { Audit, AuditSubject } from '../model/audit';
import { newNameSet } from '../model/name-set';
import { readPatterns } from './patterns';
import { Section } from './section';
import { count, size } from './values';

const MEMBERS = names('log level subject arguments argumentBytes mask linesPerMinute');
/** In the order of the ABI's levels. */
const LEVELS = names('trace debug info warn error critical');
const WARN = 3;
/** In the order of AuditSubject. */
const SUBJECTS = names('hash plain none');
/** What is left out where nothing else is said. */
const SECRETS = names(
  '*password* *passwd* *passphrase* *secret* *token* *credential* *authorization* *api?key* *apikey* *private?key* *privatekey* cookie',
);

const AUDIT = literal('audit');
const LOG = literal('log');
const LEVEL = literal('level');
const SUBJECT = literal('subject');
const ARGUMENTS = literal('arguments');
const ARGUMENT_BYTES = literal('argumentBytes');
const MASK = literal('mask');
const LINES_PER_MINUTE = literal('linesPerMinute');
const A_BOOLEAN = literal('true or false');
const AT_MOST = literal('a size of at most 16Ki');

const DEFAULT_BYTES: u32 = 2 << 10;
const MOST_BYTES: u32 = 16 << 10;
const DEFAULT_LINES: u32 = 6000;
const LONGEST_MASK = 256;

/** Null: no record is kept. */
export function readAudit(root: Section): Audit | null {
  if (root.get(AUDIT) === NONE) return null;
  const section = root.section(AUDIT, MEMBERS);
  const audit = make<Audit>(root.arena);
  audit.level = max(section.choice(LEVEL, LEVELS, WARN), 0);
  audit.subject = max(section.choice(SUBJECT, SUBJECTS), AuditSubject.Hash);
  const bytes = size(section, ARGUMENT_BYTES, DEFAULT_BYTES);
  if (bytes > MOST_BYTES) section.mustBe(ARGUMENT_BYTES, AT_MOST);
  audit.argumentBytes = isTrue(section, ARGUMENTS, false) ? bytes : 0;
  audit.linesPerMinute = count(section, LINES_PER_MINUTE, DEFAULT_LINES);
  readMask(section, audit);
  return isTrue(section, LOG, true) ? audit : null;
}

function isTrue(section: Section, name: Span, byDefault: bool): bool {
  const value = section.get(name);
  if (value === NONE) return byDefault;
  const kind = kindOf(value);
  if (kind !== Kind.True && kind !== Kind.False) section.mustBe(name, A_BOOLEAN);
  return kind === Kind.True;
}

function readMask(section: Section, audit: Audit): void {
  audit.mask = newNameSet(section.arena);
  const asked =
    section.get(MASK) === NONE ? namesIn(SECRETS, section.arena) : readPatterns(section, MASK, LONGEST_MASK);
  for (let i = 0; i < asked.count; i++) {
    const pattern = folded(asked.at(i), section.arena);
    if (length(pattern) > 0) audit.mask.add(pattern);
  }
}
