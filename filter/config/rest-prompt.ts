import { make } from '../bytes/arena';
import { List, newList } from '../bytes/list';
import { names, namesIn } from '../bytes/name-list';
import { Span, equals, literal, NONE } from '../bytes/span';
import { kindOf, Kind } from '../json/reader';
import { textOf } from '../json/text';
import { PromptArgument, PromptMessage, RestPrompt } from '../model/rest';
import { Way } from '../template/program';
import { elementPlace, Place, Problems } from './problems';
import { A_TEXT, compiled } from './rest-template';
import { openSection, Section } from './section';

/** One prompt: the members of MCP's (schema, Prompt and PromptMessage), the texts of its messages being templates. */
const MEMBERS = names('name title description arguments messages');
const ARGUMENT_MEMBERS = names('name title description required');
const MESSAGE_MEMBERS = names('role text');
const ROLES = names('user assistant');
const NAME = literal('name');
const TITLE = literal('title');
const DESCRIPTION = literal('description');
const ARGUMENTS = literal('arguments');
const REQUIRED = literal('required');
const MESSAGES = literal('messages');
const ROLE = literal('role');
const TEXT = literal('text');

const TRUE_OR_FALSE = literal('true or false');
const TWICE = literal('is the name of another argument');
const NO_MESSAGE = literal('must list at least one message');
const TOO_MANY = literal('has more than 32 entries');

/** Messages of a prompt, and arguments: each message has a budget of its own when it is made. */
const MOST = 32;

export function readPrompt(value: Span, place: Place, problems: Problems): RestPrompt {
  const section = openSection(value, place, MEMBERS, problems);
  const prompt = make<RestPrompt>(section.arena);
  prompt.name = section.required(NAME);
  checkText(section, TITLE);
  checkText(section, DESCRIPTION);
  prompt.description = section.get(DESCRIPTION);
  prompt.arguments = readArguments(section);
  prompt.messages = readMessages(section);
  return prompt;
}

/** Not null either: it is listed as it stands, and clients refuse a whole list for that. */
function checkText(section: Section, name: Span): void {
  const value = section.get(name);
  if (value === NONE) return;
  if (kindOf(value) !== Kind.String || textOf(value, section.arena) === NONE) section.mustBe(name, A_TEXT);
}

function isRequired(section: Section): bool {
  const value = section.get(REQUIRED);
  if (value === NONE) return false;
  const kind = kindOf(value);
  if (kind !== Kind.True && kind !== Kind.False) section.mustBe(REQUIRED, TRUE_OR_FALSE);
  return kind === Kind.True;
}

/** Elements of a list that has no more than it may. */
function listIn(section: Section, name: Span): List {
  const elements = section.list(name);
  if (elements.count <= MOST) return elements;
  section.problems.add(section.problems.at(section.placeOf(name)).bytes(TOO_MANY));
  return newList(section.arena);
}

function readArguments(section: Section): List {
  const list = newList(section.arena);
  const elements = listIn(section, ARGUMENTS);
  for (let i = 0; i < elements.count; i++) {
    const place = elementPlace(section.placeOf(ARGUMENTS), i, section.arena);
    const inner = openSection(elements.at(i), place, ARGUMENT_MEMBERS, section.problems);
    const argument = make<PromptArgument>(section.arena);
    argument.name = inner.required(NAME);
    argument.required = isRequired(inner);
    checkText(inner, TITLE);
    checkText(inner, DESCRIPTION);
    if (argument.name === NONE) continue;
    for (let j = 0; j < list.count; j++) {
      if (!equals(changetype<PromptArgument>(list.at(j) as usize).name, argument.name)) continue;
      section.problems.add(section.problems.at(inner.placeOf(NAME)).bytes(TWICE));
    }
    list.push(changetype<usize>(argument) as u64);
  }
  return list;
}

function readMessages(section: Section): List {
  const list = newList(section.arena);
  const elements = listIn(section, MESSAGES);
  if (section.list(MESSAGES).count === 0) {
    section.problems.add(section.problems.at(section.placeOf(MESSAGES)).bytes(NO_MESSAGE));
  }
  const roles = namesIn(ROLES, section.arena);
  for (let i = 0; i < elements.count; i++) {
    const place = elementPlace(section.placeOf(MESSAGES), i, section.arena);
    const inner = openSection(elements.at(i), place, MESSAGE_MEMBERS, section.problems);
    const role = inner.required(ROLE) === NONE ? -1 : inner.choice(ROLE, ROLES);
    const text = inner.required(TEXT);
    if (text === NONE) continue;
    const program = compiled(inner, TEXT, text, text, Way.Plain, null);
    if (role < 0 || program === null) continue;
    const message = make<PromptMessage>(section.arena);
    message.role = roles.at(role);
    message.text = program;
    list.push(changetype<usize>(message) as u64);
  }
  return list;
}
