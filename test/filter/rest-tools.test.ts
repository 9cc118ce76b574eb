// What Higress does with a definition of a tool, case by case, is what Sluice does; where it is not, docs/rest.md says so in
// a row of its table. See rest-tool-cases.ts.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { outcomeOf, type RestCase } from './rest-tool-cases.ts';

const cases = JSON.parse(
  readFileSync(new URL('../fixtures/rest-tools.json', import.meta.url), 'utf8'),
) as readonly RestCase[];
const page = readFileSync(new URL('../../docs/rest.md', import.meta.url), 'utf8');
const [, table = ''] = page.split('## Differences from Higress');
const rows = [...table.matchAll(/^\| (.*?) +\|/gm)]
  .map(([, cell = '']) => cell)
  .filter((cell) => !/^(?:case|-+)$/.test(cell));

/** What every request has, and Higress never sends, or sends in place of ours. */
const ALWAYS = ['`accept-encoding`', 'a request without a body'];

describe('a definition of a tool does what it does in Higress, or what docs/rest.md says', () => {
  test.each(cases)('$name', (each) => {
    const { row, ...expected } = each.here ?? { row: undefined, ...each.higress };
    const { sent, ...outcome } = outcomeOf(each);
    const others = sent?.headers.filter(([name]) => name !== 'accept-encoding');
    expect({ ...outcome, ...(sent !== undefined && { sent: { ...sent, headers: others } }) }).toEqual(expected);
    if (row !== undefined) expect(rows).toContain(row);
    else if (each.here !== undefined) expect(each.here).toHaveProperty('refused');
  });

  test('what is refused says where, and why', () => {
    const refused = cases.map(({ higress, here }) => (here ?? higress)?.refused).filter((said) => said !== undefined);
    expect(refused.length).toBeGreaterThan(5);
    for (const said of refused) expect(said).toMatch(/^[a-zA-Z.[\]0-9]+: ./);
  });

  test('every row of the table has a case', () => {
    const shown = new Set([...cases.map(({ here }) => here?.row), ...ALWAYS]);
    expect(rows.filter((row) => !shown.has(row))).toEqual([]);
    expect(rows.length).toBeGreaterThan(20);
  });

  test('a request without a body has no type of one, and the service is asked for no coding', () => {
    const bare: RestCase = {
      name: 'bare',
      tool: { name: 't', args: [], requestTemplate: { url: 'http://b.example/x', method: 'GET' } },
      arguments: '{}',
    };
    expect(outcomeOf(bare).sent?.headers).toEqual([
      ['accept', '*/*'],
      ['accept-encoding', 'identity'],
    ]);
  });
});
