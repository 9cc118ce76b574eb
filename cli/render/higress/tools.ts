import type { Node } from '../../../envoy/yaml/node.ts';
import type { LeftOuts } from '../left-out.ts';

/** Members of a tool and of an argument that the module reads (filter/config/rest-tool.ts). */
const toolMembers = [
  ...['name', 'title', 'description', 'args', 'requestTemplate', 'responseTemplate', 'errorResponseTemplate'],
  ...['security', 'outputSchema', 'annotations'],
];
const argumentMembers = [
  ...[
    'name',
    'description',
    'type',
    'required',
    'default',
    'enum',
    'items',
    'properties',
    'position',
    'title',
    'const',
  ],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'minLength', 'maxLength', 'minItems', 'maxItems'],
  ...['pattern', 'format', 'additionalProperties', 'anyOf', 'oneOf', 'allOf', 'multipleOf', 'uniqueItems', 'examples'],
  'deprecated',
];
/** What people write for a type of JSON Schema; Higress hands it on, and clients do not know it. */
const spellings: Readonly<Record<string, string>> = {
  int: 'integer',
  long: 'integer',
  float: 'number',
  double: 'number',
  bool: 'boolean',
  str: 'string',
  list: 'array',
  map: 'object',
};
const unknown = 'is not known here, and left out';

type Made = Record<string, unknown>;

/** A tool as the module takes it: Higress does not look at what it does not read, nor at types and names of arguments. */
export function toolOf(tool: Node, leftOut: LeftOuts): unknown {
  if (!tool.isObject) return tool.value;
  const made = knownMembers(tool, toolMembers, leftOut);
  const args = tool.get('args');
  if (Array.isArray(args.value)) made['args'] = argumentsOf(args, leftOut);
  return made;
}

/** Of two arguments of one name the last one is listed there. */
function argumentsOf(args: Node, leftOut: LeftOuts): unknown[] {
  const all = args.items;
  const last = new Map(all.map((arg, index) => [arg.get('name').text, index]));
  return all.flatMap((arg, index) => {
    const name = arg.get('name').text;
    if (!arg.isObject || name === undefined) return [arg.value];
    if (last.get(name) !== index) {
      leftOut.at(arg, `is left out: a later argument is called ${name} as well`);
      return [];
    }
    const known = knownMembers(arg, argumentMembers, leftOut);
    const schema = schemaOf(arg, leftOut) as Made;
    if (Array.isArray(schema['required']))
      leftOut.at(
        arg.get('properties'),
        'which of these are required cannot be said: an argument is required as a whole',
      );
    return [
      Object.fromEntries(Object.keys(known).map((each) => [each, each === 'required' ? known[each] : schema[each]])),
    ];
  });
}

function knownMembers(object: Node, known: readonly string[], leftOut: LeftOuts): Made {
  const members = object.entries.filter(([member, node]) => {
    if (known.includes(member)) return true;
    leftOut.at(node, unknown);
    return false;
  });
  return Object.fromEntries(members.map(([member, { value }]) => [member, value]));
}

/** A schema, with types as JSON Schema spells them, and what an object requires in a list of its own. */
function schemaOf(schema: Node, leftOut: LeftOuts): unknown {
  if (!schema.isObject) return schema.value;
  const made: Made = { ...(schema.value as Made) };
  const type = schema.get('type');
  const spelled = type.text === undefined ? undefined : spellings[type.text];
  if (spelled !== undefined) {
    leftOut.at(type, `${type.text ?? ''} is no type of JSON Schema: ${spelled} is taken`);
    made['type'] = spelled;
  }
  for (const member of ['items', 'additionalProperties'])
    if (schema.get(member).isObject) made[member] = schemaOf(schema.get(member), leftOut);
  for (const member of ['anyOf', 'oneOf', 'allOf']) {
    if (Array.isArray(schema.get(member).value))
      made[member] = schema.get(member).items.map((each) => schemaOf(each, leftOut));
  }
  if (schema.get('properties').isObject) takeProperties(schema, made, leftOut);
  return made;
}

function takeProperties(schema: Node, made: Made, leftOut: LeftOuts): void {
  const required = Array.isArray(made['required']) ? (made['required'] as unknown[]) : [];
  const properties = schema.get('properties').entries.map(([name, member]) => {
    const inner = schemaOf(member, leftOut);
    const flag = member.get('required');
    if (typeof flag.value !== 'boolean') return [name, inner] as const;
    if (flag.isTrue) required.push(name);
    return [name, without(inner as Made, 'required')] as const;
  });
  made['properties'] = Object.fromEntries(properties);
  if (required.length > 0) made['required'] = [...new Set(required)];
}

function without(object: Made, member: string): Made {
  return Object.fromEntries(Object.entries(object).filter(([each]) => each !== member));
}
