// Host mode `headers`: prompts that the gateway makes. A REST service has no tools in this mode, but its prompts.
import { expect, it } from 'vitest';
import { refusal } from '../clients/answers.ts';
import { send } from '../clients/raw.ts';
import { mcpHeaders } from '../clients/session.ts';
import { describeGateway } from '../engine.ts';
import { useGateway } from '../gateway.ts';
import { connectModern } from '../stateless-era.ts';

const modern = '2026-07-28';
const offer = {
  name: 'offer',
  title: 'An offer',
  arguments: [{ name: 'item', description: 'What is offered', required: true }],
  messages: [{ role: 'user', text: 'Offer {{.args.item}}' }],
};
const review = {
  name: 'review',
  messages: [{ role: 'user', text: 'Review it{{if .args.tone}}, {{.args.tone}}{{end}}' }],
};

describeGateway('prompts that the gateway makes, asked for by headers', () => {
  const gateway = useGateway(() => ({
    servers: [
      { name: 'shop', rest: { prompts: [offer] } },
      { name: 'guides', rest: { prompts: [{ ...review, arguments: [{ name: 'tone' }] }] } },
    ],
    plugin: {
      virtualServers: [{ name: 'team-a/shop', tools: [], prompts: ['shop_*'] }],
    },
  }));

  it('are listed and made', async () => {
    const client = await connectModern(gateway.current.url, { pin: modern });
    const { prompts } = await client.listPrompts();
    expect(prompts.map(({ name }) => name)).toEqual(['shop_offer', 'guides_review']);
    const { messages } = await client.getPrompt({ name: 'shop_offer', arguments: { item: 'a "pot"\n' } });
    expect(messages).toEqual([{ role: 'user', content: { type: 'text', text: 'Offer a "pot"\n' } }]);
    const said = (await client.getPrompt({ name: 'guides_review', arguments: { tone: 'kindly' } })).messages;
    expect(said).toEqual([{ role: 'user', content: { type: 'text', text: 'Review it, kindly' } }]);
    await expect(client.getPrompt({ name: 'shop_offer' })).rejects.toThrow(/item: is required/);
    await expect(client.getPrompt({ name: 'guides_text' })).rejects.toThrow(/Unknown prompt: guides_text/);
    await client.close();
  });

  it('obey virtual servers', async () => {
    const client = await connectModern(`${gateway.current.url}/team-a/shop`, { pin: modern });
    const { prompts } = await client.listPrompts();
    expect(prompts.map(({ name }) => name)).toEqual(['shop_offer']);
    await expect(client.getPrompt({ name: 'guides_review' })).rejects.toThrow(/Unknown prompt/);
    await client.close();
  });

  it('are not made where the body names another one than the header', async () => {
    const meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"${modern}","io.modelcontextprotocol/clientCapabilities":{}}`;
    const answer = await send(gateway.current.url, {
      body: `{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"guides_review",${meta}}}`,
      headers: { ...mcpHeaders, 'mcp-protocol-version': modern, 'mcp-method': 'prompts/get', 'mcp-name': 'shop_offer' },
    });
    expect(refusal(answer)).toMatchObject({ status: 400, code: -32020, reason: 'header_mismatch' });
  });
});
