import { normalizedEscapes } from '../bytes/escapes';
import { List, newList } from '../bytes/list';
import { Span, length, literal, NONE } from '../bytes/span';
import { newWriter } from '../bytes/writer';
import { kindOf, Kind } from '../json/reader';
import { textOf } from '../json/text';
import { isExact, simplified } from '../model/glob';
import { newRules, Rules } from '../model/rules';
import { elementPlace } from './problems';
import { readToolResults } from './results';
import { readTimeouts } from './tool-timeouts';
import { Noun, NounRow } from '../mcp/nouns';
import { names } from '../bytes/name-list';
import { mustBe, Section } from './section';

const MEMBERS = names('allow deny');
/** Calls of tools alone can take long. */
const TOOL_MEMBERS = names('allow deny timeouts results');
const ALLOW = literal('allow');
const DENY = literal('deny');

const A_PATTERN = literal('a name, or a pattern with "*" for any run of characters and "?" for one, at most ');
const BYTES = literal(' bytes');
const TOO_MANY = literal('must have at most 256 patterns with "*" or "?" (names are not limited), found ');

/**
 * What a decision costs is bounded by these two: each pattern with a wildcard is held against a name, in steps of at most
 * one length times the other (see glob.ts). A name without wildcards costs one look-up with all others.
 */
const MAX_GLOBS = 256;
const MAX_NAME_PATTERN = 256;
/** Resources are named by URIs. */
export const MAX_URI_PATTERN = 2048;

/** The patterns that a member lists, simplified; absent is as if empty. */
export function readPatterns(section: Section, name: Span, longest: i32): List {
  const patterns = newList(section.arena);
  const elements = section.list(name);
  let globs = 0;
  for (let i = 0; i < elements.count; i++) {
    const value: Span = elements.at(i);
    const text = kindOf(value) === Kind.String ? textOf(value, section.arena) : NONE;
    if (text === NONE || length(text) === 0 || length(text) > longest) {
      const what = newWriter(section.arena, 128).bytes(A_PATTERN);
      what.decimal(longest as u64).bytes(BYTES);
      mustBe(elementPlace(section.placeOf(name), i, section.arena), what.written, value, section.problems);
      continue;
    }
    if (!isExact(text)) globs++;
    patterns.push(simplified(text, section.arena));
  }
  if (globs > MAX_GLOBS) {
    const line = section.problems.at(section.placeOf(name)).bytes(TOO_MANY);
    section.problems.add(line.decimal(globs as u64));
  }
  return patterns;
}

/** Patterns on what a noun is named by; those on URIs with the escapes of `ruledName`. */
export function readPatternsOn(noun: NounRow, section: Section, name: Span): List {
  const patterns = readPatterns(section, name, noun.isUri ? MAX_URI_PATTERN : MAX_NAME_PATTERN);
  if (!noun.isUri) return patterns;
  const normalized = newList(section.arena);
  for (let i = 0; i < patterns.count; i++) normalized.push(normalizedEscapes(patterns.at(i), section.arena));
  return normalized;
}

/** The rules on a noun. */
export function readRules(parent: Section, noun: NounRow): Rules {
  const isTools = noun.noun === Noun.Tools;
  const section = parent.section(noun.plural, isTools ? TOOL_MEMBERS : MEMBERS);
  // Without the member that is all, where an empty list is none.
  const allow: List | null = section.get(ALLOW) === NONE ? null : readPatternsOn(noun, section, ALLOW);
  const rules = newRules(allow, readPatternsOn(noun, section, DENY), section.arena);
  if (isTools) {
    rules.timeouts = readTimeouts(section);
    rules.results = readToolResults(section);
  }
  return rules;
}
