import { bench, describe } from 'vitest';
import { TestGateway } from '../core/test-gateway.ts';

/** A thousand decisions a sample: the milliseconds that are reported are microseconds per decision. */
const DECISIONS = 1000;

const servers = Array.from({ length: 10 }, (_, s) => ({
  name: `server-${s}`,
  cluster: 'c',
  tools: { deny: ['*_delete'] },
}));
const tools = Array.from({ length: 100 }, (_, t) => `get_report_of_kind_${t}`);
const every = servers.flatMap(({ name }) => tools.map((tool) => `${name}_${tool}`));
const twoHundred = every.filter((_, i) => i % 5 === 0);

const gateway = new TestGateway();
const problems = gateway.configure({
  servers,
  virtualServers: [
    { name: 'n/names', tools: twoHundred },
    { name: 'n/globs', tools: ['server-1_*', 'server-2_get_*', '*_kind_?', 'server-5_*_of_*_1?', '*_nothing'] },
    { name: 'n/worst', tools: Array.from({ length: 256 }, (_, i) => `*${'a'.repeat(236)}${i}`) },
  ],
});
if (problems.length > 0) throw new Error(problems.join('\n'));

describe(`a decision × ${DECISIONS}`, () => {
  const long = 'a'.repeat(1024);
  const cases: [string, string, number, number, number][] = [
    ['rules alone', 'get_report_of_kind_55', -1, -1, 1],
    ['200 names, in it', 'get_report_of_kind_55', 0, -1, 1],
    ['200 names, not in it', 'get_report_of_kind_56', 0, -1, 0],
    ['5 globs', 'get_report_of_kind_5', 1, -1, 1],
    ['names ∩ globs', 'get_report_of_kind_5', 0, 1, 1],
  ];
  for (const [what, name, path, header, expected] of cases) {
    const [at, length] = gateway.keep(name);
    if (gateway.decide(3, at, length, path, header, 1) !== expected) throw new Error(what);
    bench(what, () => {
      gateway.decide(3, at, length, path, header, DECISIONS);
    });
  }

  // The most that a configuration and a caller together can make one decision cost; once, so in ms.
  const [at, length] = gateway.keep(long);
  bench('the worst of all, × 1', () => {
    gateway.decide(3, at, length, 2, -1, 1);
  });
});

const claims = Array.from({ length: 20 }, (_, c) => `claim-${c}`);

/** 100 rules over 20 claims of a token, of which the last one allows. */
const hundred = Array.from({ length: 100 }, (_, r) => ({
  name: `rule-${r}`,
  claims: [{ path: `claim-${r % 20}`, contains: r === 99 ? 'member-3' : `nobody-${r}` }],
  tools: [r % 2 === 0 ? `server-0_get_*_${r}` : 'server-0_*'],
}));

/** The same, but all hold for the caller: each tool is held against the patterns of 99 in vain. */
const allHold = Array.from({ length: 100 }, (_, r) => ({
  name: `rule-${r}`,
  claims: [{ path: `claim-${r % 20}`, contains: 'member-3' }],
  tools: [r === 99 ? '*' : `*_get_*_of_${r}`],
}));

/** The claims are read as for the hundred, and there is next to nothing to decide. */
const one = [{ name: 'one', claims: claims.map((path) => ({ path, contains: 'member-3' })) }];

function ruled(rules: readonly object[]): TestGateway {
  const gateway = new TestGateway();
  const authorization = rules.length > 0 ? { authorization: { rules } } : {};
  const problems = gateway.configure({ servers, identity: { jwt: 'claims' }, ...authorization });
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const members = Array.from({ length: 5 }, (_, m) => `member-${m}`);
  gateway.token = Object.fromEntries(claims.map((claim) => [claim, members]));
  return gateway;
}

describe('rules over 20 claims', () => {
  const list = Array.from({ length: 1000 }, (_, t) => `get_report_of_kind_${t}`).join(' ');
  for (const [what, rules] of [
    ['100 rules', hundred],
    ['100 rules, all of which hold', allHold],
    ['one rule that names all claims', one],
    ['no rule', []],
  ] as const) {
    const gateway = ruled(rules);
    const call = gateway.keep('get_report_of_kind_55');
    const all = gateway.keep(list);
    if (gateway.decideByRules(...call, 1) !== 1 || gateway.decideByRules(...all, 1) !== 1000) throw new Error(what);
    bench(`a call × ${DECISIONS}, ${what}`, () => {
      gateway.decideByRules(...call, DECISIONS);
    });
    bench(`a list of 1,000 tools × 100, ${what}`, () => {
      gateway.decideByRules(...all, 100);
    });
  }
});
