import { isDeepStrictEqual } from 'node:util';
import { inputsOf } from './arguments.ts';
import type { LeftOut } from '../left-out.ts';
import { serverNameFrom, unique } from '../names.ts';
import { type Description, type Part, isPart, listIn, readDescription, textIn } from './document.ts';
import { plainSchema } from './schema.ts';
import { type Scheme, schemesOf, securityOf } from './security.ts';

/** Definitions of tools, as a file of `sluice start --rest` has them. */
export interface Definitions {
  readonly server: Readonly<Record<string, unknown>> & { readonly name: string };
  readonly tools: readonly Readonly<Record<string, unknown>>[];
}

export interface FromOpenApi {
  readonly definitions: Definitions;
  readonly leftOut: readonly LeftOut[];
}

export interface Wishes {
  /** The name of the server; from the title of the description unless said otherwise. */
  readonly name: string | undefined;
  /** In the place of `servers`. */
  readonly url: string | undefined;
}

const methods = ['get', 'post', 'put', 'patch', 'delete', 'head', 'options', 'trace'];
/** Those of HTTP's methods that a tool can have and somebody would call. */
const callable = ['get', 'post', 'put', 'patch', 'delete'];

/** What a client may tell its user of a tool (MCP, ToolAnnotations). RFC 9110 §9.2 */
const annotations: Readonly<Record<string, Part>> = {
  get: { readOnlyHint: true },
  put: { idempotentHint: true },
  delete: { destructiveHint: true, idempotentHint: true },
};

const mostTools = 1_000;
/** MCP, tool names. */
const longestName = 128;

/**
 * Makes tools from an OpenAPI 3.0 or 3.1 description: an operation is a tool.
 * @throws Error where it is none, or has no operation that can be called
 */
export async function fromOpenApi(bytes: Uint8Array, wishes: Wishes): Promise<FromOpenApi> {
  const description = await readDescription(bytes);
  const { root, leaveOut, leftOut } = description;
  const info = isPart(root['info']) ? root['info'] : {};
  const name = wishes.name ?? serverNameFrom(textIn(info, 'title') ?? '', 'service');
  const schemes = schemesOf(name, description);
  const names = new Set<string>();
  const tools: Part[] = [];
  const used = new Set<Scheme>();
  for (const { method, path, shared, operation, place } of operationsOf(description)) {
    if (!callable.includes(method)) {
      leaveOut(place, `no tool is made of ${method.toUpperCase()}`);
      continue;
    }
    const inputs = inputsOf(shared, operation, place, description);
    const url = urlOf(wishes.url, [operation, shared, root], place, leaveOut);
    if (inputs === undefined || url === undefined) continue;
    const missing = placesOf(path).find((each) => !inputs.places.has(each));
    if (missing !== undefined || path.includes('{{')) {
      leaveOut(place, `the path has a {${missing ?? ''}} that no parameter fills`);
      continue;
    }
    if (tools.length === mostTools) {
      leaveOut(place, `more than ${mostTools} tools: nobody could choose among them`);
      break;
    }
    const security = securityOf(operation, place, schemes, description);
    for (const scheme of schemes.values())
      if (isPart(security['security']) && security['security']['id'] === scheme.id) used.add(scheme);
    const about = [...new Set([textIn(operation, 'summary'), textIn(operation, 'description')])].filter(
      (text) => text !== undefined,
    );
    const { output, headers } = answersOf(operation, place, description);
    tools.push({
      name: unique(toolName(operation, method, path), names, '_'),
      ...(about.length > 0 && { description: about.join('\n\n').trim() }),
      args: inputs.args,
      requestTemplate: {
        url: url + withPlaces(path, inputs.places),
        method: method.toUpperCase(),
        ...withHeaders(inputs.request, headers),
        ...security,
      },
      ...(output !== undefined && { outputSchema: output }),
      ...(annotations[method] !== undefined && { annotations: annotations[method] }),
    });
  }
  for (const member of ['webhooks'])
    if (root[member] !== undefined) leaveOut(member, 'a gateway is not called by a service');
  if (tools.length === 0) {
    const why = leftOut().map(({ place, why }) => `${place}: ${why}`);
    throw Object.assign(new Error('has no operation that could be a tool'), { details: why });
  }
  const securitySchemes = [...used];
  return {
    definitions: { server: { name, ...(securitySchemes.length > 0 && { securitySchemes }) }, tools },
    leftOut: leftOut(),
  };
}

/** @param request members of `requestTemplate`. @param headers further ones */
function withHeaders(request: Part, headers: readonly object[]): Part {
  return headers.length === 0 ? request : { ...request, headers: [...listIn(request, 'headers'), ...headers] };
}

interface Operation {
  readonly method: string;
  readonly path: string;
  /** What all methods of the path have. */
  readonly shared: Part;
  readonly operation: Part;
  readonly place: string;
}

function* operationsOf({ root, follow }: Description): Generator<Operation> {
  for (const [path, entry] of Object.entries(isPart(root['paths']) ? root['paths'] : {})) {
    const shared = follow(entry, `paths.${path}`);
    for (const method of methods) {
      const place = `paths.${path}.${method}`;
      const operation = follow(shared?.[method], place);
      if (shared !== undefined && operation !== undefined) yield { method, path, shared, operation, place };
    }
  }
}

/** @param owners whose `servers` count, the first of them before all others */
function urlOf(
  wished: string | undefined,
  owners: readonly Part[],
  place: string,
  leaveOut: Description['leaveOut'],
): string | undefined {
  if (wished !== undefined) return wished.replace(/\/+$/, '');
  const server = owners.map((owner) => listIn(owner, 'servers')[0]).find((each) => isPart(each));
  const variables = isPart(server) && isPart(server['variables']) ? server['variables'] : {};
  const url = (isPart(server) ? (textIn(server, 'url') ?? '') : '').replace(
    /\{([^{}]+)\}/g,
    (whole, variable: string) => {
      const entry = variables[variable];
      return isPart(entry) && typeof entry['default'] === 'string' ? entry['default'] : whole;
    },
  );
  if (/^https?:\/\/[^/?#{}]+(?:\/[^?#{}]*)?$/i.test(url)) return url.replace(/\/+$/, '');
  leaveOut(
    place,
    `servers: ${url === '' ? 'there is none' : `${url} does not say where the service is`}; say it with --url`,
  );
  return undefined;
}

function placesOf(path: string): string[] {
  return [...path.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name);
}

/** @param places what the argument for each place is called */
function withPlaces(path: string, places: ReadonlyMap<string, string>): string {
  return path.replace(/\{([^{}]*)\}/g, (_, name: string) => `{${places.get(name) ?? name}}`);
}

function toolName(operation: Part, method: string, path: string): string {
  const said = textIn(operation, 'operationId') ?? `${method}${path}`;
  return (
    said
      .replace(/[^A-Za-z0-9_.-]+/g, '_')
      .replace(/^_+|_+$/g, '')
      .slice(0, longestName - 4) || method
  );
}

const isJson = (type: string): boolean => /^application\/(?:[^;]+\+)?json\b/i.test(type);

/** What is known of the good responses. */
interface Answers {
  /** What all of them are, where that is the same object: clients refuse what has none, and all other types (MCP, Tool). */
  readonly output: Record<string, unknown> | undefined;
  /** Headers that ask for JSON where the service has other types as well. */
  readonly headers: readonly object[];
}

function answersOf(operation: Part, place: string, description: Description): Answers {
  const responses = isPart(operation['responses']) ? operation['responses'] : {};
  const good = Object.keys(responses)
    .filter((code) => code.startsWith('2'))
    .map((code) => {
      const at = `${place}.responses.${code}`;
      const response = description.follow(responses[code], at);
      return { at, content: isPart(response?.['content']) ? response['content'] : {} };
    });
  // Where nothing else is said, `default` is what a good answer is.
  const other = good.length === 0 ? description.follow(responses['default'], `${place}.responses.default`) : undefined;
  const contents = [...good.map(({ content }) => content), other?.['content']];
  const types = contents.flatMap((content) => (isPart(content) ? Object.keys(content) : []));
  const type = types.find(isJson);
  const headers = type !== undefined && !types.every(isJson) ? [{ key: 'Accept', value: type }] : [];
  const schemas = good.map(({ at, content }) => {
    const media = description.follow(content[Object.keys(content).find(isJson) ?? ''], at);
    return media?.['schema'] === undefined ? undefined : plainSchema(media['schema'], at, description, 'response');
  });
  const [first] = schemas;
  if (schemas.every((schema) => schema?.['type'] !== 'object')) return { output: undefined, headers };
  if (schemas.every((schema) => isDeepStrictEqual(schema, first))) return { output: first, headers };
  description.leaveOut(`${place}.responses`, 'not all that are good are the same object: the tool has no outputSchema');
  return { output: undefined, headers };
}
