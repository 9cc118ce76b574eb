import { make } from '../bytes/arena';
import { decode } from '../bytes/base64';
import { newList } from '../bytes/list';
import { length, literal, pointer, Span, NONE } from '../bytes/span';
import { KEY_SIZE } from '../crypto/aead';
import { Key, KeyRing } from '../model/keyring';
import { Environment, variable } from './environment';
import { elementPlace, Place } from './problems';
import { names } from '../bytes/name-list';
import { openSection, Section } from './section';
import { addNoKey, addUnset } from './bad-variable';
import { count, duration, flag } from './values';
import { Gateway } from '../model/gateway';

const MEMBERS = names('keys ttl open listChanged');
const OPENINGS = names('eager lazy');
const KEY_MEMBERS = names('id env');

const KEYS = literal('keys');
const TTL = literal('ttl');
const OPEN = literal('open');
const LIST_CHANGED = literal('listChanged');
const CATALOG = literal('catalog');
const ID = literal('id');
const ENV = literal('env');
const DAY = literal('24h');

const TAKEN = literal('is the id of another key');
const MAX_KEY_ID: u32 = 255;

export function readSessions(parent: Section, name: Span, environment: Environment, gateway: Gateway): void {
  const section = parent.section(name, MEMBERS);
  gateway.sessionTtl = max(duration(section, TTL, DAY) / 1000, 1);
  gateway.opensLazily = section.choice(OPEN, OPENINGS) === 1;
  // Without a catalog the lists of a configuration stay as they are.
  gateway.tellsOfLists =
    section.get(LIST_CHANGED) === NONE ? parent.get(CATALOG) !== NONE : flag(section, LIST_CHANGED);
  const ring = make<KeyRing>(section.arena);
  ring.keys = newList(section.arena);
  ring.gateway = gateway.name;
  gateway.keys = ring;
  const elements = section.list(KEYS);
  for (let i = 0; i < elements.count; i++) {
    const place = elementPlace(section.placeOf(KEYS), i, section.arena);
    readKey(openSection(elements.at(i), place, KEY_MEMBERS, section.problems), environment, ring);
  }
}

function readKey(section: Section, environment: Environment, ring: KeyRing): void {
  const key = make<Key>(section.arena);
  if (section.get(ID) === NONE) section.missing(ID);
  else key.id = count(section, ID, 0, MAX_KEY_ID);
  if (key.id !== 0 && ring.find(key.id) !== null)
    section.problems.add(section.problems.at(section.placeOf(ID)).bytes(TAKEN));

  const env = section.required(ENV);
  if (env === NONE) return;
  const place: Place = section.placeOf(ENV);
  const text = variable(environment, env);
  if (text === NONE) return addUnset(section.problems, place, env);
  const bytes = section.arena.allocate(max(length(text), KEY_SIZE) as usize);
  if (decode(pointer(text), length(text), bytes) !== KEY_SIZE) {
    return addNoKey(section.problems, place, env);
  }
  key.bytes = bytes;
  ring.keys.push(changetype<usize>(key) as u64);
}
