// Who may see and use what: each caller at each virtual server, by path and by header, for each noun and each of its names.
// A list and a use are held against each other, and both against the decision written down a second time.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Json } from './struct.ts';
import { type Refusal, type Sent, TestGateway } from './test-gateway.ts';

const gateway = new TestGateway();
const serverNames = ['weather', 'orders'] as const;
const ownNames = ['get', 'set'] as const;
const nouns = ['tools', 'prompts', 'resources'] as const;
type Noun = (typeof nouns)[number];

interface Target {
  readonly noun: Noun;
  readonly server: string;
  /** As clients see it. */
  readonly name: string;
}

const shown = (noun: Noun, server: string, own: string): string =>
  noun === 'resources' ? `file://${server}//${own}` : `${server}_${own}`;
const targets: readonly Target[] = nouns.flatMap((noun) =>
  serverNames.flatMap((server) => ownNames.map((own) => ({ noun, server, name: shown(noun, server, own) }))),
);

const callers: Readonly<Record<string, Readonly<Record<string, Json>>>> = {
  nobody: {},
  dev: { groups: ['dev'] },
  ops: { groups: ['ops'], scope: 'call' },
  both: { groups: ['dev', 'ops'], scope: 'read call' },
};

type Patterns = Readonly<Partial<Record<Noun, readonly string[]>>>;
const virtualServers: readonly (Patterns & { readonly name: string })[] = [
  { name: 'team/get', tools: ['*_get'], prompts: ['*'], resources: ['*get'] },
  { name: 'team/weather', tools: ['weather_*'], prompts: ['*_set'] },
];
const virtualServerNames = virtualServers.map(({ name }) => name);

interface Way {
  readonly path?: string | undefined;
  readonly header?: string | undefined;
}
const ways: readonly Way[] = [undefined, ...virtualServerNames].flatMap((path) =>
  [undefined, ...virtualServerNames].map((header) => ({ path, header })),
);

interface Rule extends Patterns {
  readonly name: string;
  readonly effect: 'allow' | 'deny' | 'stepUp';
  readonly claims: readonly { readonly path: string; readonly contains: string }[];
  readonly scopes?: readonly string[];
  readonly servers?: readonly string[];
  readonly virtualServers?: readonly string[];
}

const some = <T>(of: readonly T[]): fc.Arbitrary<T[]> => fc.subarray([...of], { minLength: 1 });
const names = some(['*', '*_get', 'weather_*', 'orders_set']);
const drawnRule = fc
  .record(
    {
      effect: fc.constantFrom('allow' as const, 'deny' as const, 'stepUp' as const),
      claims: fc.subarray(['dev', 'ops']).map((groups) => groups.map((contains) => ({ path: 'groups', contains }))),
      scopes: some(['read', 'call']),
      servers: some(serverNames),
      virtualServers: some(virtualServerNames),
      tools: names,
      prompts: names,
      resources: some(['*', '*get', 'file://weather/*']),
    },
    { requiredKeys: ['effect', 'claims'] },
  )
  .map((rule) => (rule.effect === 'stepUp' ? { scopes: ['read'], ...rule } : rule));

const matches = (patterns: readonly string[] = [], name: string): boolean =>
  patterns.some((pattern) => new RegExp(`^${pattern.replaceAll('*', '.*')}$`, 'u').test(name));

type Answer = 'hidden' | 'forbidden' | 'used';

/** The decision, written down a second time. */
function expected(rules: readonly Rule[], byDefault: string, caller: string, way: Way, target: Target): Answer {
  const { noun, server, name } = target;
  const { groups = [], scope = '' } = callers[caller] as { groups?: string[]; scope?: string };
  const narrowing = virtualServers.filter((each) => each.name === way.path || each.name === way.header);
  if (!narrowing.every((each) => matches(each[noun], name))) return 'hidden';
  const fitting = rules.filter((rule) => {
    const isAboutNames = nouns.some((each) => rule[each] !== undefined);
    return (
      rule.claims.every(({ contains }) => groups.includes(contains)) &&
      (rule.virtualServers === undefined || narrowing.some((each) => rule.virtualServers?.includes(each.name))) &&
      (rule.servers === undefined || rule.servers.includes(server)) &&
      (!isAboutNames || matches(rule[noun], name))
    );
  });
  const hasScopes = ({ scopes = [] }: Rule): boolean => scopes.every((each) => scope.split(' ').includes(each));
  if (fitting.some((rule) => rule.effect === 'deny' && hasScopes(rule))) return 'hidden';
  if (fitting.some((rule) => rule.effect === 'stepUp' && !hasScopes(rule))) return 'forbidden';
  return byDefault === 'allow' || fitting.some((rule) => rule.effect !== 'deny' && hasScopes(rule)) ? 'used' : 'hidden';
}

/** What a request for it by name comes to; what goes on goes to its own server. */
function use({ noun, server, name }: Target, sent: Sent): Answer {
  const ask = {
    tools: () => gateway.call(name, sent),
    prompts: () => gateway.getPrompt(name, sent),
    resources: () => gateway.read(name, sent),
  };
  const answer: { server: string } | Refusal = ask[noun]();
  if ('server' in answer) {
    expect(answer.server).toBe(server);
    return 'used';
  }
  const reason = answer.data['reason'];
  if (reason === 'forbidden') return 'forbidden';
  expect(reason).toBe(`unknown_${noun.slice(0, -1)}`);
  return 'hidden';
}

test('every caller sees and may use the same, at each virtual server and for each noun, whatever the rules are', () => {
  const servers = serverNames.map((name) => ({ name, cluster: 'c' }));
  gateway.servers = { weather: ownNames, orders: ownNames };
  gateway.prompts = { weather: ownNames, orders: ownNames };
  gateway.resources = { weather: ['file:///get', 'file:///set'], orders: ['file:///get', 'file:///set'] };
  gateway.templates = { weather: [], orders: [] };
  const met = new Set<string>();
  fc.assert(
    fc.property(
      fc.constantFrom('allow', 'deny'),
      fc.array(drawnRule, { maxLength: 6 }).map((rules) => rules.map((rule, at) => ({ name: `r${at}`, ...rule }))),
      (byDefault, rules) => {
        const authorization = { default: byDefault, rules };
        expect(gateway.configure({ servers, virtualServers, identity: { jwt: 'jwt' }, authorization })).toEqual([]);
        for (const [caller, claims] of Object.entries(callers)) {
          gateway.token = claims;
          for (const way of ways) {
            const path = way.path === undefined ? '/mcp' : `/mcp/${way.path}`;
            const sent: Sent = {
              path,
              session: gateway.open({ path }),
              ...(way.header !== undefined && { narrowed: way.header }),
            };
            const listed = new Set([
              ...(gateway.list(sent) as string[]).map((name) => `tools ${name}`),
              ...gateway.listPrompts(sent).map((name) => `prompts ${name}`),
              ...gateway.listResources(sent)[0].map((uri) => `resources ${uri}`),
            ]);
            for (const target of targets) {
              const row = { caller, ...way, ...target };
              const answer = use(target, sent);
              expect({ ...row, answer }).toEqual({ ...row, answer: expected(rules, byDefault, caller, way, target) });
              const isListed = listed.delete(`${target.noun} ${target.name}`);
              expect({ ...row, isListed }).toEqual({ ...row, isListed: answer !== 'hidden' });
              met.add(`${target.noun} ${answer}`);
            }
            expect([...listed]).toEqual([]);
          }
        }
      },
    ),
    { numRuns: 60 },
  );
  expect(met.size).toBe(nouns.length * 3); // each answer is met for each noun
});
