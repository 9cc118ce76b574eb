// Times of single tools, and how budgets of requests are configured; that they hold is in test/e2e/quotas.test.ts.
import { describe, expect, test } from 'vitest';
import { TestGateway } from './test-gateway.ts';

const gateway = new TestGateway();
const header = 'x-envoy-upstream-rq-per-try-timeout-ms';

describe('the time of a tool', () => {
  const configure = (timeouts: unknown): string[] =>
    gateway.configure({ servers: [{ name: 'one', cluster: 'o', callTimeout: '10s', tools: { timeouts } }] });

  test.each([
    ['get', { set: '1m' }, '10000'],
    ['get', { get: '1m' }, '60000'],
    ['get', { '*': '2m', 'g*': '3m', get: '1m', 'ge?': '4m' }, '60000'],
    ['get', { '*': '2m', 'ge*': '3m', 'g*': '4m' }, '180000'],
    ['get', { 'g?t': '2m', 'ge?': '3m', '?et': '1m' }, '180000'],
    ['get', { one_get: '2m' }, '10000'],
  ])('%s of %j is %s', (tool, timeouts, expected) => {
    expect(configure(timeouts)).toEqual([]);
    gateway.servers = { one: [tool] };
    const session = gateway.open();
    expect(gateway.call(`one_${tool}`, { session })).toMatchObject({ server: 'one' });
    expect(gateway.sentHeader(header)).toBe(expected);
  });

  test.each<[unknown, string]>([
    [
      [],
      'servers[0].tools.timeouts: must be an object: names or patterns of tools, each with a time, at most 64, found []',
    ],
    [
      { '': '1m' },
      'servers[0].tools.timeouts: must be an object: names or patterns of tools, each with a time, at most 64, found {"":"1m"}',
    ],
    [
      { get: '1x' },
      'servers[0].tools.timeouts.get: must be a time such as "500ms", "3s", "10m" or "24h", from 1ms to 24 days, found "1x"',
    ],
  ])('%j is wrong', (timeouts, problem) => {
    expect(configure(timeouts)).toContain(problem);
  });

  test('is for tools alone', () => {
    const problems = gateway.configure({ servers: [{ name: 'one', cluster: 'o', prompts: { timeouts: {} } }] });
    expect(problems[0]).toMatch(/^servers\[0\]\.prompts\.timeouts: is not a member of this section/);
  });
});

describe('a budget', () => {
  const configure = (quota: object): string[] =>
    gateway.configure({ servers: [{ name: 'one', cluster: 'o' }], quotas: [quota] });
  const right = { per: ['subject'], requests: 5, interval: '1m' };

  test.each<[object, string]>([
    [{ per: ['user'] }, 'quotas[0].per[0]: must be one of subject, server, tool, found "user"'],
    [{ per: 'subject' }, 'quotas[0].per: must be a list, found "subject"'],
    [{ requests: 0 }, 'quotas[0].requests: must be a whole number from 1 to 65536, found 0'],
    [{ requests: undefined }, 'quotas[0].requests: is missing'],
    [{ interval: undefined }, 'quotas[0].interval: is missing'],
    [{ concurrent: 2 }, 'quotas[0]: has either requests and interval, or concurrent'],
    [{ lease: '1m' }, 'quotas[0]: has either requests and interval, or concurrent'],
    [{ concurrent: 2000 }, 'quotas[0].concurrent: must be a whole number from 1 to 1024, found 2000'],
    [
      { interval: '1' },
      'quotas[0].interval: must be a time such as "500ms", "3s", "10m" or "24h", from 1ms to 24 days, found "1"',
    ],
  ])('with %j is wrong', (wrong, problem) => {
    expect(configure(right)).toEqual([]);
    expect(configure({ ...right, ...wrong })).toContain(problem);
  });

  test('is one of 16 at most', () => {
    const quotas = Array.from({ length: 17 }, () => right);
    expect(gateway.configure({ servers: [{ name: 'one', cluster: 'o' }], quotas })).toEqual([
      'quotas: must have at most 16 budgets, found 17',
    ]);
  });
});
