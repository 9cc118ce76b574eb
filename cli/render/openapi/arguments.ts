import { type Description, type Part, isPart, listIn, textIn } from './document.ts';
import { unique } from '../names.ts';
import { membersOf, plainSchema } from './schema.ts';

/** An argument of a tool, as its definition has it. */
type Argument = Readonly<Record<string, unknown>> & { readonly name: string };

/** What the parameters and the body of an operation come to; undefined where it cannot be called without what is left out. */
export interface Inputs {
  readonly args: readonly Argument[];
  /** What the argument for a place in the path is called, by the name of that place. */
  readonly places: ReadonlyMap<string, string>;
  /** Members of `requestTemplate`. */
  readonly request: Readonly<Record<string, unknown>>;
}

/** Headers that OpenAPI says are no parameters, and those that a tool may not set (filter/config/rest-headers.ts). */
const noParameters = ['accept', 'content-type', 'authorization'];
const reserved =
  /^(?:host|connection|keep-alive|proxy-connection|content-length|transfer-encoding|upgrade|http2-settings|te|trailer|expect|via|accept-encoding|content-encoding|last-event-id|mcp-.*|x-mcp-.*|x-envoy-.*)$/i;
const isFormType = (type: string): boolean => /^application\/x-www-form-urlencoded\b/i.test(type);
/** Types of a body that JSON is one of. */
const anyType = ['*/*', 'application/*'];

/** Why an operation cannot be called at all. */
class Impossible extends Error {}

/** @param shared parameters of the path */
export function inputsOf(shared: Part, operation: Part, place: string, description: Description): Inputs | undefined {
  try {
    const { args, places } = withNamesOfTheirOwn(parametersOf(shared, operation, place, description));
    const body = bodyOf(operation, place, args, description);
    return { args: [...args, ...body.args], places, request: body.request };
  } catch (error) {
    if (!(error instanceof Impossible)) throw error;
    description.leaveOut(place, error.message);
    return undefined;
  }
}

function parametersOf(shared: Part, operation: Part, place: string, description: Description): Argument[] {
  const said = new Map<string, { parameter: Part; where: string }>();
  for (const [owner, at] of [
    [shared, place.replace(/\.[a-z]+$/, '')],
    [operation, place],
  ] as const) {
    for (const [index, entry] of listIn(owner, 'parameters').entries()) {
      const where = `${at}.parameters[${index}]`;
      const parameter = description.follow(entry, where);
      if (parameter === undefined || isNoParameter(parameter)) continue;
      said.set(`${textIn(parameter, 'in') ?? ''} ${textIn(parameter, 'name') ?? ''}`, { parameter, where });
    }
  }
  const all: Argument[] = [];
  for (const { parameter, where } of said.values()) {
    const name = textIn(parameter, 'name') ?? '';
    const made = argumentOf(parameter, name, where, description);
    if (made !== undefined) all.push(made);
    else if (parameter['required'] === true) throw new Impossible(`needs ${name}, which is left out`);
  }
  return all;
}

/**
 * The arguments of parameters that have one name and two positions get a name each. A service does not see what a place in
 * its path is called, so that argument is the one that can have another.
 */
function withNamesOfTheirOwn(all: readonly Argument[]): Pick<Inputs, 'args' | 'places'> {
  const inPath = (argument: Argument): boolean => argument['position'] === 'path';
  const names = new Set(all.filter((argument) => !inPath(argument)).map(({ name }) => name));
  if (names.size < all.filter((argument) => !inPath(argument)).length) {
    const twice = all.find(({ name }, index) => all.findIndex((other) => other.name === name) !== index);
    throw new Impossible(`has two parameters that are called ${twice?.name ?? ''}`);
  }
  const places = new Map<string, string>();
  const args = all.map((argument) => {
    if (!inPath(argument)) return argument;
    const isShared = names.has(argument.name);
    const name = unique(isShared ? `${argument.name}_in_path` : argument.name, names, '_');
    places.set(argument.name, name);
    return { ...argument, name };
  });
  return { args, places };
}

/** OpenAPI, Parameter Object: what is said of these headers as parameters shall be ignored, `required` too. */
function isNoParameter(parameter: Part): boolean {
  return textIn(parameter, 'in') === 'header' && noParameters.includes((textIn(parameter, 'name') ?? '').toLowerCase());
}

function argumentOf(parameter: Part, name: string, place: string, description: Description): Argument | undefined {
  const position = textIn(parameter, 'in') ?? '';
  if (name === '' || !['query', 'path', 'header', 'cookie'].includes(position)) {
    description.leaveOut(place, `a parameter in ${position === '' ? 'no place' : position} cannot be sent`);
    return undefined;
  }
  if (position === 'header' && reserved.test(name)) {
    description.leaveOut(place, `the header ${name} is the gateway's to set`);
    return undefined;
  }
  // Parameters with a content are JSON, which is how lists and objects are sent anyway.
  const [content] = Object.values(isPart(parameter['content']) ? parameter['content'] : {});
  const isJson = isPart(content);
  const schema = plainSchema(isJson ? content['schema'] : parameter['schema'], place, description);
  const said = isJson ? schema : serialized(parameter, schema, position, place, description);
  if (said === undefined) return undefined;
  const about = textIn(parameter, 'description') ?? textIn(said, 'description');
  const required = parameter['required'] === true || position === 'path';
  return { name, ...described(about, withoutTitle(said)), ...(required && { required }), position };
}

/** A list or an object in the form that OpenAPI says, as far as one text can have it. */
function serialized(
  parameter: Part,
  whole: Record<string, unknown>,
  position: string,
  place: string,
  { leaveOut }: Description,
): Record<string, unknown> | undefined {
  const schema = oneForm(withoutNull(whole), place, leaveOut);
  const types = [schema['type']].flat();
  const style = textIn(parameter, 'style') ?? (position === 'query' || position === 'cookie' ? 'form' : 'simple');
  if (types.includes('object')) {
    leaveOut(
      place,
      `an object in the style ${style} cannot be sent: make it JSON (content), or a parameter for each member`,
    );
    return undefined;
  }
  if (style === 'label' || style === 'matrix') {
    leaveOut(place, `a value in the style ${style} cannot be sent`);
    return undefined;
  }
  if (!types.includes('array')) return schema;
  const separators: Record<string, string> = {
    form: 'commas',
    simple: 'commas',
    spaceDelimited: 'spaces',
    pipeDelimited: 'bars (|)',
  };
  const separator = separators[style];
  if (separator === undefined) {
    leaveOut(place, `a list in the style ${style} cannot be sent`);
    return undefined;
  }
  const items = isPart(schema['items']) ? schema['items'] : {};
  if ((parameter['explode'] ?? style === 'form') === true && style === 'form') {
    leaveOut(place, 'a list that is sent as a parameter for each value: the tool takes one value');
    const { description = schema['description'], ...one } = items;
    return { ...one, ...(typeof description === 'string' && { description }) };
  }
  const values = Array.isArray(items['enum']) ? ` Values: ${(items['enum'] as unknown[]).join(', ')}.` : '';
  const about = typeof schema['description'] === 'string' ? `${schema['description']} ` : '';
  return { type: 'string', description: `${about}Several values are separated by ${separator}.${values}` };
}

type Schema = Readonly<Record<string, unknown>>;
const alternatives = ['anyOf', 'oneOf'] as const;
const alternativesOf = (schema: Schema, keyword: string): readonly Schema[] => listIn(schema, keyword) as Schema[];
const typesOf = (schema: Schema): readonly unknown[] => [schema['type'] ?? []].flat();

/** What a parameter can be: null has no form in one (RFC 6570 §2.3), and would be sent as the text `null`. */
function withoutNull(schema: Schema): Record<string, unknown> {
  let made: Record<string, unknown> = { ...schema };
  const types = typesOf(schema).filter((type) => type !== 'null');
  if (types.length < typesOf(schema).length) made['type'] = types.length === 1 ? types[0] : types;
  if (Array.isArray(schema['enum'])) made['enum'] = (schema['enum'] as unknown[]).filter((value) => value !== null);
  if (schema['default'] === null) made['default'] = undefined;
  for (const keyword of alternatives) {
    const left = alternativesOf(schema, keyword).filter((each) => !isNull(each));
    if (left.length > 0) made = alternatively(made, keyword, left.map(withoutNull));
  }
  return made;
}

function isNull(schema: Schema): boolean {
  return schema['const'] === null || (typesOf(schema).length > 0 && typesOf(schema).every((type) => type === 'null'));
}

/** With these as its alternatives; the only one is part of the schema itself. */
function alternatively(schema: Schema, keyword: string, left: readonly Schema[]): Record<string, unknown> {
  const outer = Object.fromEntries(Object.entries(schema).filter(([each]) => each !== keyword));
  return left.length === 1 ? { ...left[0], ...outer } : { ...outer, [keyword]: left };
}

/** Of a parameter that may be a list or one value: one value. */
function oneForm(
  schema: Record<string, unknown>,
  place: string,
  leaveOut: Description['leaveOut'],
): Record<string, unknown> {
  let made = schema;
  for (const keyword of alternatives) {
    const all = alternativesOf(made, keyword);
    const single = all.filter((each) => !typesOf(each).some((type) => type === 'array' || type === 'object'));
    if (all.length === 0 || single.length === all.length) continue;
    leaveOut(place, 'one of its forms is a list or an object: the tool takes another one');
    made = alternatively(made, keyword, single.length > 0 ? single : all.slice(0, 1));
  }
  return made;
}

/** An argument has its name; a title beside it says nothing more to a model. */
function withoutTitle(schema: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(schema).filter(([keyword]) => keyword !== 'title'));
}

function described(about: string | undefined, schema: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return {
    ...(about !== undefined && { description: about }),
    ...schema,
    ...(about !== undefined && { description: about }),
  };
}

function bodyOf(
  operation: Part,
  place: string,
  args: readonly Argument[],
  description: Description,
): Omit<Inputs, 'places'> {
  if (operation['requestBody'] === undefined) return { args: [], request: {} };
  const at = `${place}.requestBody`;
  const body = description.follow(operation['requestBody'], at);
  const isNeeded = body?.['required'] === true;
  const content = isPart(body?.['content']) ? body['content'] : {};
  const types = Object.keys(content);
  const type =
    types.find((each) => /^application\/(?:[^;]+\+)?json\b/i.test(each)) ??
    types.find(isFormType) ??
    types.find((each) => anyType.includes(each));
  if (type === undefined) {
    const why = `a body of ${types.length === 0 ? 'no type' : types.join(', ')} cannot be sent`;
    if (isNeeded) throw new Impossible(why);
    description.leaveOut(at, why);
    return { args: [], request: {} };
  }
  const media = description.follow(content[type], at) ?? {};
  const schema = plainSchema(media['schema'], at, description);
  const isForm = isFormType(type);
  const isPlain = type.toLowerCase() === 'application/json' || anyType.includes(type);
  const headers = isPlain ? {} : { headers: [{ key: 'Content-Type', value: type }] };
  const members = membersOf(schema);
  const clash = Object.keys(members?.properties ?? {}).some((name) => args.some((argument) => argument.name === name));
  if (members !== undefined && !clash) {
    const made = Object.entries(members.properties).flatMap(([name, member]) => {
      const required = isNeeded && members.required.includes(name);
      const said = isForm ? formMember(media, name, member, `${at}.properties.${name}`, description) : member;
      if (said === undefined && required) throw new Impossible(`needs ${name}, which is left out`);
      return said === undefined
        ? []
        : [{ name, ...withoutTitle(said), ...(required && { required }), position: 'body' }];
    });
    // A body that is needed is sent where all of its members are absent, too.
    if (!isNeeded) return { args: made, request: headers };
    return { args: made, request: isForm ? { argsToFormBody: true } : { ...headers, argsToJsonBody: true } };
  }
  const document = documentOf(schema, at, description);
  const name = ['body', 'requestBody', 'request_body'].find((each) => args.every((argument) => argument.name !== each));
  if (isForm || document === undefined || name === undefined) {
    const why = isForm
      ? 'a form whose members are not known cannot be sent'
      : 'a body that is neither an object nor a list cannot be sent';
    if (isNeeded) throw new Impossible(why);
    description.leaveOut(at, why);
    return { args: [], request: {} };
  }
  const about = textIn(body ?? {}, 'description') ?? 'The whole body of the request.';
  return {
    args: [{ name, ...described(about, withoutTitle(document)), ...(isNeeded && { required: true }) }],
    request: { ...headers, body: `{{.args.${name}}}` },
  };
}

/** A member of a form (OpenAPI, Encoding Object); an object without a style of its own is JSON. */
function formMember(
  media: Part,
  name: string,
  member: Record<string, unknown>,
  place: string,
  description: Description,
): Record<string, unknown> | undefined {
  const encodings = isPart(media['encoding']) ? media['encoding'] : {};
  const encoding = isPart(encodings[name]) ? encodings[name] : {};
  const isJson = typesOf(member).includes('object') && encoding['style'] === undefined;
  return isJson ? member : serialized(encoding, member, 'query', place, description);
}

/** A body that is one JSON document, of a schema that is more than a list of members; undefined where it can be a bare value alone. */
function documentOf(schema: Schema, place: string, { leaveOut }: Description): Record<string, unknown> | undefined {
  // What has members is an object, whether it says so or not.
  if (schema['properties'] !== undefined) return { ...schema, type: schema['type'] ?? 'object' };
  if (typesOf(schema).length > 0) return typesOf(schema).every(isDocumentType) ? { ...schema } : undefined;
  for (const keyword of alternatives) {
    const all = alternativesOf(schema, keyword);
    const documents = all.filter(isDocument);
    if (all.length === 0) continue;
    if (documents.length < all.length)
      leaveOut(place, 'one of its forms is neither an object nor a list: it cannot be sent');
    return documents.length === 0 ? undefined : { ...schema, [keyword]: documents };
  }
  return isDocument(schema) ? { ...schema } : undefined;
}

function isDocument(schema: Schema): boolean {
  if (schema['properties'] !== undefined) return true;
  if (typesOf(schema).length > 0) return typesOf(schema).every(isDocumentType);
  const all = alternatives.flatMap((keyword) => alternativesOf(schema, keyword));
  return all.length > 0 ? all.every(isDocument) : alternativesOf(schema, 'allOf').some(isDocument);
}

function isDocumentType(type: unknown): boolean {
  return type === 'object' || type === 'array';
}
