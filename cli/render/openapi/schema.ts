import { type Description, type Part, isPart, listIn } from './document.ts';

/** Keywords that are taken over as they are. */
const kept = [
  ...['title', 'description', 'enum', 'const', 'default', 'format', 'pattern', 'minLength', 'maxLength', 'minItems'],
  ...['maxItems', 'uniqueItems', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
];
type Check = (value: unknown) => boolean;
const isText: Check = (value) => typeof value === 'string';
const isNumber: Check = (value) => typeof value === 'number';
const isCount: Check = (value) => Number.isInteger(value) && (value as number) >= 0;
const types = ['null', 'boolean', 'object', 'array', 'number', 'string', 'integer'];

/**
 * What keywords have to be (JSON Schema 2020-12, meta-schemas). Clients that check answers refuse the whole list of tools, those
 * of other servers too, for one schema that they cannot compile.
 */
const sound: Readonly<Record<string, Check>> = {
  type: (value) => [value].flat().every((each) => types.includes(each as string)),
  title: isText,
  description: isText,
  format: isText,
  pattern: (value) => isText(value) && isExpression(value as string),
  enum: (value) => Array.isArray(value) && value.length > 0,
  minLength: isCount,
  maxLength: isCount,
  minItems: isCount,
  maxItems: isCount,
  minimum: isNumber,
  maximum: isNumber,
  exclusiveMinimum: isNumber,
  exclusiveMaximum: isNumber,
  multipleOf: (value) => isNumber(value) && (value as number) > 0,
  uniqueItems: (value) => typeof value === 'boolean',
};

/** ECMA-262 with the flag u, which JSON Schema 2020-12 §6.3.3 of the core asks for. */
function isExpression(text: string): boolean {
  try {
    new RegExp(text, 'u');
    return true;
  } catch {
    return false;
  }
}

/** Keywords that say nothing of which values fit, or nothing to a model. */
const aside = ['$ref', '$schema', '$id', '$anchor', '$comment', 'nullable', 'readOnly', 'writeOnly', 'deprecated'];
const silent = [...aside, 'example', 'examples', 'externalDocs', 'xml', 'discriminator'];
/** Keywords that are taken over with schemas in them. */
const inward = ['type', 'items', 'properties', 'required', 'additionalProperties'];
const several = ['anyOf', 'oneOf', 'allOf'] as const;

const mostDepth = 16;
/** Schemas in one: a model reads all of it with every list. */
const mostParts = 1_000;

/** Which way values go: members that are `readOnly` are in no request, those that are `writeOnly` in no response. */
export type Direction = 'request' | 'response';
const elsewhere = { request: 'readOnly', response: 'writeOnly' } as const;

/**
 * A schema in JSON Schema 2020-12, references put in. What goes on without an end, or is larger than anybody reads, ends
 * as a schema that allows everything, and is noted.
 */
export function plainSchema(
  schema: unknown,
  place: string,
  description: Description,
  direction: Direction = 'request',
): Record<string, unknown> {
  const { follow, leaveOut } = description;
  let parts = 0;

  function convert(value: unknown, at: string, around: readonly Part[]): Record<string, unknown> {
    const part = follow(value, at);
    if (part === undefined) return {};
    if (around.includes(part)) {
      leaveOut(at, 'refers to itself: anything is taken there');
      return {};
    }
    if (around.length > mostDepth || ++parts > mostParts) {
      leaveOut(
        place,
        `is deeper than ${mostDepth} levels or larger than ${mostParts} schemas: what is beyond is taken as anything`,
      );
      return {};
    }
    const inner = [...around, part];
    const made: Record<string, unknown> = {};
    const said = part['type'];
    if (said !== undefined)
      made['type'] = part['nullable'] === true && typeof said === 'string' ? [said, 'null'] : said;
    for (const keyword of kept) if (part[keyword] !== undefined) made[keyword] = part[keyword];
    // Since 3.1 a description may stand beside a reference, and says what this use of the schema is for.
    for (const keyword of ['title', 'description'])
      if (isPart(value) && typeof value[keyword] === 'string') made[keyword] = value[keyword];
    sayWhatIsLost(part, at);
    if (part['nullable'] === true && Array.isArray(made['enum']))
      made['enum'] = [...new Set([...(made['enum'] as unknown[]), null])];
    takeBounds(part, made);
    dropUnsound(made, at);
    if (isPart(part['items'])) made['items'] = convert(part['items'], `${at}.items`, inner);
    if (isPart(part['properties'])) {
      const members = Object.entries(part['properties']).filter(
        ([, member]) => follow(member, at)?.[elsewhere[direction]] !== true,
      );
      made['properties'] = Object.fromEntries(
        members.map(([name, member]) => [name, convert(member, `${at}.properties.${name}`, inner)]),
      );
    }
    const others = part['additionalProperties'];
    if (typeof others === 'boolean') made['additionalProperties'] = others;
    else if (isPart(others)) made['additionalProperties'] = convert(others, `${at}.additionalProperties`, inner);
    for (const keyword of several) {
      const all = listIn(part, keyword);
      if (all.length > 0) made[keyword] = all.map((each, index) => convert(each, `${at}.${keyword}[${index}]`, inner));
    }
    const known = { ...membersOf({ allOf: made['allOf'] })?.properties, ...(made['properties'] as object | undefined) };
    const required = new Set(listIn(part, 'required').filter((name) => Object.hasOwn(known, String(name))));
    if (required.size > 0) made['required'] = [...required];
    // Beside a type `nullable` is part of that. Without one many generators mean null as well, whatever OpenAPI 3.0.3 says.
    const isWrapped =
      part['nullable'] === true && said === undefined && several.some((each) => made[each] !== undefined);
    return isWrapped ? orNull(made) : made;
  }

  function dropUnsound(made: Record<string, unknown>, at: string): void {
    if (Array.isArray(made['enum'])) made['enum'] = [...new Set(made['enum'])];
    for (const [keyword, isSound] of Object.entries(sound)) {
      const value = made[keyword];
      if (value === undefined || isSound(value)) continue;
      leaveOut(
        at,
        `${keyword} cannot be ${JSON.stringify(value)}: clients would refuse the whole list of tools for it`,
      );
      made[keyword] = undefined;
    }
  }

  function sayWhatIsLost(part: Part, at: string): void {
    for (const [keyword, value] of Object.entries(part)) {
      if (keyword.startsWith('x-') || value === undefined) continue;
      if (![...kept, ...several, ...silent, ...inward].includes(keyword)) leaveOut(at, `${keyword} is not taken over`);
      else if (['enum', 'const', 'default'].includes(keyword) && [value].flat().some(hasMoreDigits))
        leaveOut(at, `${keyword} has a number of more digits than are kept: make it a text`);
    }
  }

  return convert(schema, place, []);
}

/** The same schema, and null. What tells of it stays outside. */
function orNull({
  title,
  description,
  default: byDefault,
  ...schema
}: Record<string, unknown>): Record<string, unknown> {
  return {
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    ...(byDefault !== undefined && { default: byDefault }),
    anyOf: [schema, { type: 'null' }],
  };
}

/** Whether a whole number is beyond those that a double holds one by one, so that the one that was written may be another. */
function hasMoreDigits(value: unknown): boolean {
  return Number.isInteger(value) && !Number.isSafeInteger(value);
}

/** In OpenAPI 3.0 an exclusive bound is a flag beside the bound. */
function takeBounds(part: Part, made: Record<string, unknown>): void {
  for (const [flag, bound] of [
    ['exclusiveMinimum', 'minimum'],
    ['exclusiveMaximum', 'maximum'],
  ] as const) {
    if (typeof part[flag] !== 'boolean') continue;
    made[flag] = part[flag] ? part[bound] : undefined;
    if (part[flag]) made[bound] = undefined;
  }
}

/** The members of a schema that is an object, those of `allOf` among them; undefined where it is none, or more than that. */
export function membersOf(schema: Readonly<Record<string, unknown>>): Members | undefined {
  if (schema['anyOf'] !== undefined || schema['oneOf'] !== undefined) return undefined;
  const { type, properties = {}, allOf = [] } = schema;
  if (type !== undefined && type !== 'object') return undefined;
  const found: Members = {
    properties: { ...(properties as Members['properties']) },
    required: [...(listIn(schema, 'required') as string[])],
  };
  for (const each of allOf as readonly Readonly<Record<string, unknown>>[]) {
    const inner = membersOf(each);
    if (inner === undefined) return undefined;
    Object.assign(found.properties, inner.properties);
    found.required.push(...inner.required);
  }
  return Object.keys(found.properties).length > 0 ? found : undefined;
}

export interface Members {
  readonly properties: Record<string, Record<string, unknown>>;
  readonly required: string[];
}
