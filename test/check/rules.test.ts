import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { trustedHeaders } from '../../envoy/check/route.ts';
import { type Rule, type RuleId, rules } from '../../envoy/check/rules.ts';
import { type Case, cases } from './cases.ts';
import { type Base, bases, examineText, root } from './support.ts';

/** Rules that only a running judge finds out: files.test.ts has them. */
const judged: readonly RuleId[] = ['plugin', 'envoy'];

describe.each(Object.keys(bases) as Base[])('the configuration %s', (base) => {
  test('has no fault', () => {
    expect(examineText(bases[base])).toEqual([]);
  });
});

describe('the default-deny route', () => {
  const defaultDeny = 'match: { path_separated_prefix: /mcp }';
  const absent = 'headers: [{ name: x-mcp-servername, present_match: true, invert_match: true }]';

  test.each([
    [
      'may ask for the absence of the routing header',
      bases.hold.replace(defaultDeny, `match: { prefix: /, ${absent} }`),
    ],
    [
      'may be a redirect',
      bases.hold.replace(
        '- name: host_mode',
        '- { match: { prefix: / }, redirect: { https_redirect: true } }\n                        - name: host_mode',
      ),
    ],
    [
      'may stand behind other applications',
      bases.hold.replace(
        '- name: host_mode',
        '- { match: { path_separated_prefix: /mcpx }, route: { cluster: notes } }\n                        - name: host_mode',
      ),
    ],
    ['may be far wider', bases.hold.replace(defaultDeny, 'match: { prefix: / }')],
    [
      'of Istio may ask for absence',
      bases['istio pair'].replace(
        '[{ uri: { exact: /mcp } }, { uri: { prefix: /mcp/ } }]',
        '[{ withoutHeaders: { x-mcp-servername: {} } }]',
      ),
    ],
  ])('%s', (_, text) => {
    expect(Object.values(bases)).not.toContain(text);
    expect(examineText(text)).toEqual([]);
  });
});

describe.each(['hold', 'pair', 'istio pair'] as const)('a server that has prompts alone, in %s', (base) => {
  const guides = '{ name: guides, rest: { prompts: [{ name: review, messages: [{ role: user, text: Review it }] }] } }';

  test.each([
    ['beside others', bases[base].replace(/^( *)servers:$/gm, `$1servers:\n$1  - ${guides}`)],
    ['with no other', bases[base].replaceAll(/^( *)servers:\n(?:\1 .*\n)+/gm, `$1servers: [${guides}]\n`)],
  ])('needs neither cluster nor route, %s', (_, text) => {
    expect(text).not.toBe(bases[base]);
    expect(examineText(text)).toEqual([]);
  });
});

function edited({ base, edits }: Case): string {
  let text: string = bases[base];
  for (const [was, now] of edits) {
    const next = text.replace(was, now);
    if (next === text) throw new Error(`${String(was)} is not in ${base}`);
    text = next;
  }
  return text;
}

test.each(cases.map((each) => ({ ...each, title: `${each.rule}: ${each.says}` })))('$base: $title', (each) => {
  const found = examineText(edited(each)).map(({ rule, path, message, severity, line }) => ({
    rule,
    path,
    message,
    severity,
    line,
  }));
  const { rule, at, says, severity = rules[each.rule].severity } = each;
  const own = found.filter(
    (finding) => finding.rule === rule && finding.path.endsWith(at) && finding.message.includes(says),
  );
  expect(own, JSON.stringify(found, null, 1)).not.toEqual([]);
  expect(own[0]?.severity).toBe(severity);
  expect(new Set(found.map((finding) => finding.rule))).toEqual(new Set([rule, ...(each.also ?? [])]));
});

test('every rule has a case', () => {
  const covered = new Set<RuleId>([...judged, ...cases.map(({ rule }) => rule)]);
  expect(Object.keys(rules).filter((id) => !covered.has(id as RuleId))).toEqual([]);
});

test('docs/check.md has the rules, in their order and in their words', () => {
  const docs = readFileSync(new URL('docs/check.md', root), 'utf8');
  const rows = [...docs.matchAll(/^\| `([\w-]+)` +\| (error|warning) +\| (.+?) +\| (.+?) +\| (.+?) +\|$/gm)];
  const documented = rows.map(([, id, severity, asks, why, mend]) => ({ id, severity, asks, why, mend }));
  expect(documented).toEqual(Object.entries<Rule>(rules).map(([id, rule]) => ({ id, ...rule })));
});

test('the module removes the trusted headers, and those that a cluster may trust for an address', () => {
  const names = readFileSync(new URL('filter/mcp/headers.ts', root), 'utf8');
  const request = readFileSync(new URL('filter/flow/request.ts', root), 'utf8');
  const [body = ''] = /export function trustedHeader\([^]*?^}/m.exec(request) ?? [];
  const constants = [...body.matchAll(/return header\.(\w+);/g)].map(([, name = '']) => name);
  const texts = constants.map((name) => new RegExp(`\\b${name} = literal\\('([^']+)'\\)`).exec(names)?.[1]);
  const removed = [...trustedHeaders, 'x-envoy-original-dst-host', 'x-sluice-endpoint'];
  expect(texts.sort()).toEqual(removed.sort());
  expect(/TRUSTED_HEADERS: i32 = (\d+)/.exec(request)?.[1]).toBe(String(removed.length));
});
