import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bothProtocols, send } from './clients/raw.ts';
import { connectSdk } from './clients/sdk.ts';
import { initializeMessage, openSession, post } from './clients/session.ts';
import { describeGateway } from './engine.ts';
import { useGateway } from './gateway.ts';
import { type Scripted, startScripted } from './upstreams/scripted.ts';
import { type SdkServer, startSdkServer } from './upstreams/sdk.ts';

describeGateway('initialize', () => {
  let json: SdkServer;
  let events: SdkServer;
  let scripted: Scripted;
  beforeAll(async () => {
    json = await startSdkServer({ name: 'json', json: true, instructions: 'Speak "softly".' });
    events = await startSdkServer({ name: 'events', instructions: 'Listen\nwell.' });
    scripted = await startScripted({ initialized: { capabilities: { tools: {}, prompts: {}, resources: {}, logging: {} } } });
  });
  afterAll(async () => {
    await Promise.all([json.stop(), events.stop(), scripted.stop()]);
  });
  const gateway = useGateway(() => ({
    servers: [
      { name: 'json', url: json.url },
      { name: 'events', url: events.url, prefix: 'ev.' },
      { name: 'scripted', url: scripted.url },
    ],
  }));

  describe.each(bothProtocols)('over %s', (http) => {
    it('connects the client of the SDK', async () => {
      const { client, transport, close } = await connectSdk(gateway.current.url, http);
      expect(client.getServerVersion()).toEqual({ name: 'sluice', version: expect.any(String) as string });
      expect(client.getServerCapabilities()).toEqual({ tools: {} });
      expect(client.getInstructions()).toBe(
        '# json (its tools begin with json_)\n\nSpeak "softly".\n\n# events (its tools begin with ev.)\n\nListen\nwell.',
      );
      expect(transport.protocolVersion).toBe('2025-11-25');
      expect(transport.sessionId).toMatch(/^[\x21-\x7e]{1,4096}$/);
      await close();
    });
  });
});
