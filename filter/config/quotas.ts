import { make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { names } from '../bytes/name-list';
import { Span, equals, literal, NONE } from '../bytes/span';
import { kindOf, Kind } from '../json/reader';
import { textOf } from '../json/text';
import { Quota } from '../model/quota';
import { elementPlace } from './problems';
import { mustBe, openSection, Section } from './section';
import { count, duration } from './values';

const MEMBERS = names('per requests interval concurrent lease');

const QUOTAS = literal('quotas');
const PER = literal('per');
const REQUESTS = literal('requests');
const INTERVAL = literal('interval');
const CONCURRENT = literal('concurrent');
const LEASE = literal('lease');
const TEN_MINUTES = literal('10m');
const ONE_OF_BOTH = literal('has either requests and interval, or concurrent');
const MOST_AT_ONCE: u32 = 1024;
const SUBJECT = literal('subject');
const SERVER = literal('server');
const TOOL = literal('tool');
const ONE_OF = literal('one of subject, server, tool');
const EMPTY = literal('');
const TOO_MANY = literal('must have at most 16 budgets, found ');

const MOST = 16;
const MILLISECOND: u64 = 1_000_000;

/** Elements are Quota. Null: requests are not counted. */
export function readQuotas(root: Section): List | null {
  if (root.get(QUOTAS) === NONE) return null;
  const elements = root.list(QUOTAS);
  if (elements.count > MOST) {
    root.problems.add(
      root.problems
        .at(root.placeOf(QUOTAS))
        .bytes(TOO_MANY)
        .decimal(elements.count as u64),
    );
    return null;
  }
  const quotas = newList(root.arena);
  for (let i = 0; i < elements.count; i++) {
    const place = elementPlace(root.placeOf(QUOTAS), i, root.arena);
    const quota = readQuota(openSection(elements.at(i), place, MEMBERS, root.problems));
    quotas.push(changetype<usize>(quota) as u64);
  }
  return quotas.count > 0 ? quotas : null;
}

function readQuota(section: Section): Quota {
  const quota = make<Quota>(section.arena);
  const parts = section.list(PER);
  for (let i = 0; i < parts.count; i++) {
    const value: Span = parts.at(i);
    const text = kindOf(value) === Kind.String ? textOf(value, section.arena) : NONE;
    if (text !== NONE && equals(text, SUBJECT)) quota.perSubject = true;
    else if (text !== NONE && equals(text, SERVER)) quota.perServer = true;
    else if (text !== NONE && equals(text, TOOL)) quota.perTool = true;
    else mustBe(elementPlace(section.placeOf(PER), i, section.arena), ONE_OF, value, section.problems);
  }
  if (section.get(CONCURRENT) !== NONE) {
    quota.concurrent = count(section, CONCURRENT, 1, MOST_AT_ONCE);
    quota.lease = (duration(section, LEASE, TEN_MINUTES) as u64) * MILLISECOND;
    if (section.get(REQUESTS) !== NONE || section.get(INTERVAL) !== NONE) {
      section.problems.add(section.problems.at(section.place).bytes(ONE_OF_BOTH));
    }
    return quota;
  }
  if (section.get(LEASE) !== NONE) section.problems.add(section.problems.at(section.place).bytes(ONE_OF_BOTH));
  const requests = count(section, REQUESTS, 1) as u64;
  if (section.get(REQUESTS) === NONE) section.missing(REQUESTS);
  if (section.get(INTERVAL) === NONE) section.missing(INTERVAL);
  else quota.interval = (duration(section, INTERVAL, EMPTY) as u64) * MILLISECOND;
  quota.pace = max(quota.interval / requests, 1);
  // What division leaves over would be a request too many where they are very many.
  quota.interval = quota.pace * requests;
  return quota;
}
