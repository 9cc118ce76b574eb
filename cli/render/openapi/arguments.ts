import { type Description, type Part, isPart, listIn, textIn } from './document.ts';
import { membersOf, plainSchema } from './schema.ts';

/** An argument of a tool, as its definition has it. */
type Argument = Readonly<Record<string, unknown>> & { readonly name: string };

/** What the parameters and the body of an operation come to; undefined where it cannot be called without what is left out. */
export interface Inputs {
  readonly args: readonly Argument[];
  /** Members of `requestTemplate`. */
  readonly request: Readonly<Record<string, unknown>>;
}

/** Headers that OpenAPI says are no parameters, and those that a tool may not set (filter/config/rest-headers.ts). */
const noParameters = ['accept', 'content-type', 'authorization'];
const reserved =
  /^(?:host|connection|keep-alive|proxy-connection|content-length|transfer-encoding|upgrade|http2-settings|te|trailer|expect|via|accept-encoding|content-encoding|last-event-id|mcp-.*|x-mcp-.*|x-envoy-.*)$/i;
const form = 'application/x-www-form-urlencoded';

/** Why an operation cannot be called at all. */
class Impossible extends Error {}

/** @param shared parameters of the path */
export function inputsOf(shared: Part, operation: Part, place: string, description: Description): Inputs | undefined {
  try {
    const args = parametersOf(shared, operation, place, description);
    const body = bodyOf(operation, place, args, description);
    return { args: [...args, ...body.args], request: body.request };
  } catch (error) {
    if (!(error instanceof Impossible)) throw error;
    description.leaveOut(place, error.message);
    return undefined;
  }
}

function parametersOf(shared: Part, operation: Part, place: string, description: Description): Argument[] {
  const found = new Map<string, Argument>();
  for (const [owner, at] of [
    [shared, place.replace(/\.[a-z]+$/, '')],
    [operation, place],
  ] as const) {
    for (const [index, entry] of listIn(owner, 'parameters').entries()) {
      const where = `${at}.parameters[${index}]`;
      const parameter = description.follow(entry, where);
      if (parameter === undefined) continue;
      const name = textIn(parameter, 'name') ?? '';
      const made = argumentOf(parameter, name, where, description);
      const key = `${textIn(parameter, 'in') ?? ''} ${name}`;
      if (made !== undefined) found.set(key, made);
      else if (parameter['required'] === true) throw new Impossible(`needs ${name}, which is left out`);
    }
  }
  const all = [...found.values()];
  const twice = all.find(({ name }, index) => all.findIndex((other) => other.name === name) !== index);
  if (twice !== undefined) throw new Impossible(`has two parameters that are called ${twice.name}`);
  return all;
}

function argumentOf(parameter: Part, name: string, place: string, description: Description): Argument | undefined {
  const position = textIn(parameter, 'in') ?? '';
  if (position === 'header' && noParameters.includes(name.toLowerCase())) return undefined;
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
  schema: Record<string, unknown>,
  position: string,
  place: string,
  { leaveOut }: Description,
): Record<string, unknown> | undefined {
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

function bodyOf(operation: Part, place: string, args: readonly Argument[], description: Description): Inputs {
  if (operation['requestBody'] === undefined) return { args: [], request: {} };
  const at = `${place}.requestBody`;
  const body = description.follow(operation['requestBody'], at);
  const isNeeded = body?.['required'] === true;
  const content = isPart(body?.['content']) ? body['content'] : {};
  const types = Object.keys(content);
  const type =
    types.find((each) => /^application\/(?:[^;]+\+)?json\b/i.test(each)) ??
    types.find((each) => each.toLowerCase() === form);
  if (type === undefined) {
    const why = `a body of ${types.length === 0 ? 'no type' : types.join(', ')} cannot be sent`;
    if (isNeeded) throw new Impossible(why);
    description.leaveOut(at, why);
    return { args: [], request: {} };
  }
  const media = description.follow(content[type], at) ?? {};
  const schema = plainSchema(media['schema'], at, description);
  const isForm = type.toLowerCase() === form;
  const headers =
    isForm || type.toLowerCase() !== 'application/json' ? { headers: [{ key: 'Content-Type', value: type }] } : {};
  const members = membersOf(schema);
  const clash = Object.keys(members?.properties ?? {}).some((name) => args.some((argument) => argument.name === name));
  if (members !== undefined && !clash) {
    const made = Object.entries(members.properties).map(([name, member]) => ({
      name,
      ...withoutTitle(member),
      ...(isNeeded && members.required.includes(name) && { required: true }),
      position: 'body',
    }));
    // A body that is needed is sent where all of its members are absent, too.
    if (!isNeeded) return { args: made, request: headers };
    return { args: made, request: isForm ? { argsToFormBody: true } : { ...headers, argsToJsonBody: true } };
  }
  // What has members is an object, whether it says so or not.
  if (schema['properties'] !== undefined) schema['type'] ??= 'object';
  const isDocument = [schema['type']].flat().every((each) => each === 'object' || each === 'array');
  const name = ['body', 'requestBody', 'request_body'].find((each) => args.every((argument) => argument.name !== each));
  if (isForm || !isDocument || name === undefined) {
    const why = isForm
      ? 'a form whose members are not known cannot be sent'
      : 'a body that is neither an object nor a list cannot be sent';
    if (isNeeded) throw new Impossible(why);
    description.leaveOut(at, why);
    return { args: [], request: {} };
  }
  const about = textIn(body ?? {}, 'description') ?? 'The whole body of the request.';
  return {
    args: [{ name, ...described(about, withoutTitle(schema)), ...(isNeeded && { required: true }) }],
    request: { ...headers, body: `{{.args.${name}}}` },
  };
}
