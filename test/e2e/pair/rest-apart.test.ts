// Tools of a REST service where the filters of the pair are in two VMs: their calls go by callout, with the same results.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { message, refusal } from '../clients/answers.ts';
import { callMessage, openSession } from '../clients/session.ts';
import { describeGateway } from '../engine.ts';
import { useGateway } from '../gateway.ts';
import { type RestService, startRestService } from '../upstreams/rest.ts';
import { type Scripted, startScripted } from '../upstreams/scripted.ts';
import { apart } from './filters.ts';

const get = (name: string, url: string, more: object = {}): object => ({
  name,
  args: [],
  requestTemplate: { url, method: 'GET' },
  ...more,
});

describeGateway('tools of a REST service, and a pair in two VMs', () => {
  let service: RestService;
  let broken: Scripted;
  beforeAll(async () => {
    service = await startRestService();
    broken = await startScripted();
  });
  afterAll(() => Promise.all([service.stop(), broken.stop()]));
  const gateway = useGateway(() => ({
    servers: [
      {
        name: 'shop',
        url: service.url,
        rest: {
          tools: [
            get('tea', '/items/1', { responseTemplate: { body: '{{.name}}' } }),
            get('none', '/items/none', {
              errorResponseTemplate: '{{gjson "_headers.:status"}} {{gjson "_headers.x-internal"}}: {{.why}}',
            }),
            get('image', '/image'),
            get('empty', '/empty'),
            {
              name: 'add',
              args: [{ name: 'name', required: true }],
              requestTemplate: { url: '/items', method: 'POST', argsToJsonBody: true },
              outputSchema: { type: 'object' },
            },
          ],
        },
      },
      { name: 'broken', url: new URL(broken.url).origin, rest: { tools: [get('x', '/x')] } },
      { name: 'gone', url: 'http://127.0.0.1:1', rest: { tools: [get('x', '/x')] } },
    ],
    adjust: apart,
  }));
  const call = async (name: string, args = '{}'): Promise<unknown> => {
    const session = await openSession(gateway.current.url);
    return message(await session.post(callMessage(JSON.stringify(name), args))).result;
  };
  const text = (said: string, isError = false): object => ({ content: [{ type: 'text', text: said }], isError });

  it('have results of every kind', async () => {
    expect(await call('shop_tea')).toEqual(text('Tea'));
    expect(await call('shop_none')).toEqual(text('404 secret: no such item', true));
    expect(await call('shop_empty')).toEqual(text('success'));
    expect(await call('shop_image')).toMatchObject({ content: [{ type: 'image', mimeType: 'image/gif' }] });
    expect(await call('shop_add', '{"name":"Tea"}')).toMatchObject({ structuredContent: { created: { name: 'Tea' } } });
    expect(service.last()).toMatchObject({ method: 'POST', path: '/items', body: '{"name":"Tea"}' });
    expect(service.last().headers).not.toHaveProperty('mcp-session-id');
    expect(await call('shop_add')).toMatchObject({ isError: true });
  });

  it('count what a service refuses, and the way', async () => {
    const lines = (await gateway.current.prometheus()).split('\n');
    expect(lines).toContain('sluice_requests_total{method="tools/call",server="shop",outcome="upstream_status"} 1');
    expect(lines).toContain('sluice_requests_total{method="tools/call",server="shop",outcome="invalid_arguments"} 1');
    expect(lines).toContain('sluice_forwards_total{way="callout"} 5');
  });

  it('may have run where the answer breaks off', async () => {
    broken.answers = {
      GET: (_, reply) => {
        reply.head(200, { 'content-type': 'application/json' });
        reply.write('{"a":');
        setTimeout(() => {
          reply.reset();
        }, 20);
      },
    };
    const session = await openSession(gateway.current.url);
    const answer = await session.post(callMessage('"broken_x"'));
    expect(refusal(answer)).toMatchObject({ status: 200, reason: 'upstream_unreachable' });
    expect(answer.text).toContain('What it was asked may have run there');
  });

  it('fail with a reason where the service is down', async () => {
    const session = await openSession(gateway.current.url);
    expect(refusal(await session.post(callMessage('"gone_x"')))).toMatchObject({ reason: 'upstream_unreachable' });
  });
});
