// In `npm run test:clients`: go-sdk gives its session up after five streams that brought it no further. It has to go on
// through more of the gateway's, and hear of an edit.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeGateway } from '../../engine.ts';
import { addClusters } from '../../adjust.ts';
import { useGateway } from '../../gateway.ts';
import { proofTimeout } from '../../proof/scale.ts';
import { until } from '../../until.ts';
import { type CatalogServer, startCatalogs } from '../../upstreams/catalogs.ts';
import { type RestService, startRestService } from '../../upstreams/rest.ts';
import { isRunnable } from '../../languages/programs.ts';
import { toolNames } from '../../clients/answers.ts';
import { initializeMessage, listMessage, post, resumeSession } from '../../clients/session.ts';
import { beginConversation } from './converse.ts';
import { goListener } from './programs.ts';

const times = 12;

describeGateway('go-sdk, which is told of changed lists', () => {
  let shop: RestService, catalogs: CatalogServer;
  const write = (...tools: string[]): void => {
    const requestTemplate = { url: '/empty', method: 'GET' };
    const definitions = tools.map((name) => ({ name, description: name, args: [], requestTemplate }));
    catalogs.write('shop.yaml', {
      servers: [{ name: 'shop', url: 'http://shop.example', rest: { tools: definitions } }],
    });
  };
  beforeAll(async () => {
    shop = await startRestService();
    catalogs = await startCatalogs('team');
    write('one');
  });
  afterAll(async () => {
    await catalogs.stop();
    await shop.stop();
  });
  const gateway = useGateway(() => ({
    servers: [],
    ...catalogs.asked,
    adjust: (bootstrap) => {
      addClusters(bootstrap, { catalogs: catalogs.url, shop: shop.url });
    },
  }));

  describe.runIf(isRunnable(goListener, 'the client of'))('in a session', () => {
    let command: readonly string[];
    beforeAll(async () => {
      command = await goListener.install();
    }, proofTimeout);

    it(`goes on through ${times} streams, and hears of an edit`, async () => {
      const { url } = gateway.current;
      const lists = async (tools: string): Promise<boolean> => {
        const id = (await post(url, initializeMessage())).headers['mcp-session-id'];
        if (typeof id !== 'string') return false;
        return toolNames(await resumeSession(url, id).post(listMessage())).join() === tools;
      };
      const served = (tools: string): Promise<void> =>
        until(`all workers serve ${tools}`, async () =>
          (await Promise.all(Array.from({ length: 12 }, () => lists(tools)))).every((each) => each),
        );
      await served('shop_one');
      const conversation = beginConversation(command, { url, times });
      try {
        expect(await conversation.next()).toEqual({ resumed: times - 1, heard: 0, tools: 'shop_one' });
        write('one', 'two');
        expect(await conversation.next()).toEqual({ heard: true });
        await served('shop_one,shop_two');
        conversation.goOn();
        expect(await conversation.next()).toEqual({ tools: 'shop_one,shop_two' });
        expect(await conversation.end()).toBe(0);
      } finally {
        conversation.kill();
      }
    });
  });
});
