import { afterAll, beforeAll, expect, it } from 'vitest';
import { refusal } from './clients/answers.ts';
import { bothProtocols } from './clients/raw.ts';
import { connectSdk } from './clients/sdk.ts';
import { openSession } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type SdkServer, startSdkServer } from './upstreams/sdk.ts';

describeGateway('prompts', () => {
  let weather: SdkServer;
  let notes: SdkServer;
  let plain: SdkServer;
  beforeAll(async () => {
    weather = await startSdkServer({ name: 'weather', json: true, prompts: ['report', 'warn'] });
    notes = await startSdkServer({ name: 'notes', prompts: ['sum-up', 'secret'] });
    plain = await startSdkServer({ name: 'plain' });
  });
  afterAll(async () => {
    await Promise.all([weather.stop(), notes.stop(), plain.stop()]);
  });
  const gateway = useGateway(() => ({
    servers: [
      { name: 'weather', url: weather.url },
      { name: 'notes', url: notes.url },
      { name: 'plain', url: plain.url },
    ],
    plugin: {
      virtualServers: [
        { name: 'team-a/reader', tools: ['weather_*'], prompts: ['weather_*', 'notes_sum-up'] },
        { name: 'team-a/tools', tools: ['weather_*'] },
      ],
    },
  }));

  it.each(bothProtocols)('are listed and got from their servers over %s', async (http) => {
    const { client, close } = await connectSdk(gateway.current.url, http);
    expect(client.getServerCapabilities()).toEqual({ tools: {}, prompts: {}, completions: {}, logging: {} });
    const { prompts } = await client.listPrompts();
    expect(prompts.map(({ name }) => name)).toEqual(['weather_report', 'weather_warn', 'notes_sum-up', 'notes_secret']);
    for (const [name, said] of [
      ['weather_warn', 'warn of weather for Ada'],
      ['notes_sum-up', 'sum-up of notes for Ada'],
    ] as const) {
      const { messages } = await client.getPrompt({ name, arguments: { whom: 'Ada' } });
      expect(messages).toEqual([{ role: 'user', content: { type: 'text', text: said } }]);
    }
    const { completion } = await client.complete({
      ref: { type: 'ref/prompt', name: 'notes_sum-up' },
      argument: { name: 'whom', value: 'Ad' },
    });
    expect(completion.values).toEqual(['Ad of sum-up of notes']);
    await close();
  });

  it('that no list shows cannot be got, and virtual servers decide on them', async () => {
    const url = `${gateway.current.url}/team-a/reader`;
    const { client, close } = await connectSdk(url, 'HTTP/1.1');
    const { prompts } = await client.listPrompts();
    expect(prompts.map(({ name }) => name)).toEqual(['weather_report', 'weather_warn', 'notes_sum-up']);
    await close();
    const session = await openSession(url);
    for (const name of ['notes_secret', 'plain_any', 'nobody_any']) {
      const unknown = { status: 200, id: 7, code: -32602, reason: 'unknown_prompt' };
      const got = await session.post(`{"jsonrpc":"2.0","id":7,"method":"prompts/get","params":{"name":"${name}"}}`);
      expect(refusal(got)).toEqual(unknown);
      const ref = `{"ref":{"type":"ref/prompt","name":"${name}"},"argument":{"name":"whom","value":""}}`;
      const completed = await session.post(`{"jsonrpc":"2.0","id":7,"method":"completion/complete","params":${ref}}`);
      expect(refusal(completed)).toEqual(unknown);
    }
  });

  it('are not offered where a virtual server has none', async () => {
    const { client, close } = await connectSdk(`${gateway.current.url}/team-a/tools`, 'HTTP/1.1');
    expect(client.getServerCapabilities()).toEqual({ tools: { listChanged: true }, logging: {} });
    await close();
  });
});
