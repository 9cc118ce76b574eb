import * as z from 'zod';

/** The kind of template that Nacos and Higress share. */
const templateKind = 'json-go-template';

const templateSchema = z.looseObject({
  requestTemplate: z.looseObject({}).nullish(),
  responseTemplate: z.looseObject({}).nullish(),
  errorResponseTemplate: z.string().nullish(),
  argsPosition: z.record(z.string(), z.string()).nullish(),
  security: z.looseObject({}).nullish(),
});

/** A tool as MCP has it. */
export interface Tool {
  readonly name: string;
  readonly [member: string]: unknown;
}

/** Members of a tool that its definition has as they are. */
const toolMembers = ['title', 'description', 'outputSchema', 'annotations'];

/** Keywords of JSON Schema that stand beside the name of an argument; others go one level down, where they mean the same. */
const argumentKeywords = new Set([
  'description',
  'type',
  'default',
  'enum',
  'items',
  'properties',
  'title',
  'const',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'pattern',
  'format',
  'additionalProperties',
  'anyOf',
  'oneOf',
  'multipleOf',
  'uniqueItems',
  'examples',
  'deprecated',
]);

/**
 * A tool as Higress defines it, of what Nacos keeps in two places: the tool with its input schema, and its template with
 * the positions of the arguments.
 * @param templates by their kind
 * @throws Error that names the tool and says what is wrong
 */
export function toolDefinition(tool: Tool, templates: Readonly<Record<string, unknown>> | null | undefined): object {
  const called = `the tool ${shown(tool.name)}`;
  const template = templates?.[templateKind];
  if (template === undefined) throw new Error(`${called} has no ${templateKind}`);
  const [reference] = /\$\{nacos\.[^}]*\}/.exec(JSON.stringify(template)) ?? [];
  if (reference !== undefined) {
    throw new Error(`${called} refers to ${shown(reference)}: secrets come from the environment of Envoy alone`);
  }
  const read = templateSchema.safeParse(template);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw new Error(`${called}: ${issue?.path.join('.') ?? ''} of its ${templateKind}: ${issue?.message ?? ''}`);
  }
  const { argsPosition, ...others } = read.data;
  const own = toolMembers.map((member) => [member, tool[member]] as const);
  return {
    name: tool.name,
    ...withoutNulls(own),
    args: argumentsOf(tool['inputSchema'], argsPosition ?? {}, called),
    ...withoutNulls(Object.entries(others)),
  };
}

function argumentsOf(schema: unknown, positions: Readonly<Record<string, string>>, called: string): object[] {
  if (schema === undefined || schema === null) return [];
  if (!isObject(schema)) throw new Error(`${called}: its inputSchema is no object`);
  const { properties = {}, required = [] } = schema;
  if (!isObject(properties)) throw new Error(`${called}: inputSchema.properties is no object`);
  return Object.entries(properties).map(([name, property]) => {
    if (!isObject(property)) throw new Error(`${called}: the argument ${shown(name)} is no object`);
    return {
      name,
      ...argumentSchema(property),
      ...(Array.isArray(required) && required.includes(name) && { required: true }),
      ...(Object.hasOwn(positions, name) && { position: positions[name] }),
    };
  });
}

/** Beside the name, `required` says whether the argument is; what an object needs within it goes one level down. */
function argumentSchema(property: Readonly<Record<string, unknown>>): object {
  const entries = Object.entries(property).filter(([, value]) => value !== null);
  const own = entries.filter(([keyword]) => argumentKeywords.has(keyword));
  const inner = entries.filter(
    ([keyword]) => !argumentKeywords.has(keyword) && keyword !== 'allOf' && keyword !== 'name',
  );
  const { allOf } = property;
  const all = [
    ...(inner.length > 0 ? [Object.fromEntries(inner)] : []),
    ...(Array.isArray(allOf) ? (allOf as unknown[]) : []),
  ];
  return { ...Object.fromEntries(own), ...(all.length > 0 && { allOf: all }) };
}

function withoutNulls(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  return Object.fromEntries(entries.filter(([, value]) => value !== null && value !== undefined));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}
