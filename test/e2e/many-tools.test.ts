// More than half a million tools: a list as large as the limits allow is merged whole, a larger one is left out whole.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { message, toolNames } from './clients/answers.ts';
import { listMessage, openSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type Scripted, result, startScripted } from './upstreams/scripted.ts';

const MANY = 600_000;

describeGateway('a server with 600,000 tools', () => {
  let many: Scripted;
  let few: Scripted;
  const tools = Array.from({ length: MANY }, (_, i) => `{"name":"t${i}","inputSchema":{"type":"object"}}`).join(',');
  beforeAll(async () => {
    many = await startScripted({ tools: [] });
    many.answers = { 'tools/list': result(`{"tools":[${tools}]}`) };
    few = await startScripted({ tools: ['one'] });
  });
  afterAll(() => Promise.all([many.stop(), few.stop()]));

  const servers = () => [
    { name: 'many', url: many.url },
    { name: 'few', url: few.url },
  ];
  const roomy = useGateway(() => ({ servers: servers(), plugin: { limits: { listTimeout: '30s' } } }));
  const narrow = useGateway(() => ({
    servers: servers(),
    plugin: { limits: { listTimeout: '30s', listBytes: '8Mi' } },
  }));

  it('has all of them listed, and the next request is served as ever', async () => {
    const session = await openSession(roomy.current.url);
    const names = toolNames(await session.post(listMessage()));
    expect(names).toHaveLength(MANY + 1);
    expect([names[0], names[MANY - 1], names[MANY]]).toEqual(['many_t0', `many_t${MANY - 1}`, 'few_one']);
    expect(message(await session.post(listMessage('"again"'))).id).toBe('again');
  });

  it('is left out where the configuration sets a limit below that, with the reason in the log', async () => {
    const session = await openSession(narrow.current.url);
    expect(toolNames(await session.post(listMessage()))).toEqual(['few_one']);
    expect(narrow.current.log()).toMatch(/many: upstream_protocol: its list is larger than limits\.listBytes/);
  });
});
