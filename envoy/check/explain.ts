import * as z from 'zod';
import type { JsonObject } from '../embedded/config/struct.ts';
import { encodeStruct } from '../embedded/config/struct.ts';
import { environmentNames } from '../render/bootstrap.ts';
import type { ModuleThread } from './isolation.ts';
import { standIns } from './plugin.ts';

/** What a caller asks for. */
export const kinds = ['tools', 'prompts', 'resources', 'events'] as const;
type Kind = (typeof kinds)[number];
export type Names = Readonly<Partial<Record<Kind, readonly string[]>>>;

/** Who asks, and what about. */
export interface Asker {
  /** The claims of a verified token; undefined: there is none. */
  readonly claims: JsonObject | undefined;
  /** What the header says that `allowedCapabilities` reads; undefined: there is none. */
  readonly authorized?: JsonObject | undefined;
  /** `<namespace>/<name>`, or empty: the endpoint itself. */
  readonly virtualServer: string;
  /** Undefined: those that the configuration names itself. */
  readonly names: Names | undefined;
}

const decision = z.object({
  noun: z.enum(kinds),
  name: z.string(),
  /** `stepUp`: it is listed, and a call needs `scopes`. `depends`: on the definition of the tool, which the server has. */
  decision: z.enum(['allowed', 'stepUp', 'hidden', 'depends']),
  /**
   * What decides: a `rule` of authorization, its `default`, or `nothing` where there is none; else what hides it before
   * authorization is asked.
   */
  by: z.enum([
    'rule',
    'default',
    'nothing',
    'virtual server',
    'server rules',
    'allowed capabilities',
    'owner',
    'server',
    'name',
    'transport',
    'pins',
    'definition',
    'override',
    'tool search',
  ]),
  rule: z.string().optional(),
  effect: z.enum(['allow', 'deny', 'stepUp']).optional(),
  /** What the step up needs, a space between. */
  scopes: z.string().optional(),
  /** A call is decided on by its arguments as well. */
  arguments: z.literal(true).optional(),
});
export type Decision = z.infer<typeof decision>;

/** Which of several credentials a server is sent for a caller. */
const credential = z.object({
  server: z.string(),
  /** The environment variable that holds it. Absent, as `dependsOn` is: there is none, and the caller is refused. */
  credential: z.string().optional(),
  /** The trusted header that chooses, which no claims say. */
  dependsOn: z.string().optional(),
});
export type ChosenCredential = z.infer<typeof credential>;

export interface Explanation {
  readonly decisions: readonly Decision[];
  readonly credentials: readonly ChosenCredential[];
}

const refusal = z.object({ refused: z.enum(['unauthenticated', 'unknown_virtual_server', 'other_subject']) });
export type Refusal = z.infer<typeof refusal>;

const end = z.object({ count: z.number() });

/** How filter/host/explanation.ts begins what it logs. */
const prefix = 'explained: ';
/** The root id by which filter/host/roots.ts knows that it is to explain. */
const rootId = 'sluice-explainer';
/** Names of one order: each is a line of the log, of which the thread takes some thousand. */
const namesAtOnce = 500;

/**
 * Lets the module say what a caller may see and use under a configuration that has no errors, and what decides it: by the
 * same function that decides on lists and calls.
 * @param text the plugin configuration as Envoy gives it to the module
 * @throws Error where the module does not answer
 */
export async function explain(
  thread: ModuleThread,
  module: Uint8Array,
  text: string,
  asker: Asker,
): Promise<Explanation | Refusal> {
  const decisions: Decision[] = [];
  let credentials: readonly ChosenCredential[] = [];
  for (const names of portions(asker.names)) {
    const found = await ask(thread, module, text, { ...asker, names });
    if ('refused' in found) return found;
    decisions.push(...found.decisions);
    credentials = found.credentials;
  }
  return { decisions, credentials };
}

async function ask(
  thread: ModuleThread,
  module: Uint8Array,
  text: string,
  { claims, authorized, virtualServer, names }: Asker,
): Promise<Explanation | Refusal> {
  const question = {
    configuration: text,
    ...(claims && { claims: encodeStruct(claims).toString('base64') }),
    ...(authorized && { authorized: encodeStruct(authorized).toString('base64') }),
    virtualServer,
    ...names,
  };
  const environment = standIns(environmentNames(parsed(text)));
  const order = { module, rootId, configuration: JSON.stringify(question), environment };
  const { lines } = await thread.run(order, 10_000);
  const said = lines
    .filter((line) => line.text.startsWith(prefix))
    .map((line): unknown => JSON.parse(line.text.slice(prefix.length)));
  const last = end.safeParse(said.at(-1));
  if (!last.success) throw new Error('the module explains nothing: it is older than --as, or not Sluice');
  if (last.data.count !== said.length - 1) throw new Error('the configuration names too much to be explained at once');
  const refused = refusal.safeParse(said[0]);
  if (refused.success) return refused.data;
  const isCredential = (one: unknown): boolean => typeof one === 'object' && one !== null && 'server' in one;
  const told = said.slice(0, -1);
  return {
    decisions: told.filter((one) => !isCredential(one)).map((one) => decision.parse(one)),
    credentials: told.filter(isCredential).map((one) => credential.parse(one)),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/** Names in parts; where none are given, one part that leaves them to the module. */
function portions(names: Names | undefined): (Names | undefined)[] {
  if (names === undefined) return [undefined];
  const nothing: Names = { tools: [], prompts: [], resources: [], events: [] };
  const parts: Names[] = [];
  for (const kind of kinds) {
    const all = names[kind] ?? [];
    for (let from = 0; from < all.length; from += namesAtOnce) {
      parts.push({ ...nothing, [kind]: all.slice(from, from + namesAtOnce) });
    }
  }
  return parts.length > 0 ? parts : [nothing];
}
