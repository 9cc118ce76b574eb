// The page `/` in a real browser, with a real Envoy behind it where there is one.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { Catalogs } from '../../plugin-server/index.ts';
import { targetNames } from '../../envoy/render/targets/index.ts';
import { until } from '../e2e/until.ts';
import { envoyBinary, hasEnvoy } from '../launcher/support.ts';
import { describeWithBrowser, startBrowser } from './browser.ts';
import { startToolServer } from './load.ts';
import {
  type Folders,
  type LiveServer,
  folders,
  liveBootstrap,
  startLive,
  startLiveEnvoy,
  storeWith,
  temporaryFolder,
  write,
} from './support.ts';

vi.setConfig({ testTimeout: 60_000 });

/** Where screenshots are written: `SLUICE_SCREENSHOTS=docs/images` makes those of the documentation anew. */
const shots = process.env['SLUICE_SCREENSHOTS'];
const statusToken = 'a-status-token-for-tests';
const publishToken = 'a-publish-token-for-tests';
/** Not in pictures. */
const evil =
  shots === undefined ? '<img src=x onerror="document.title=`broken`"><script>document.title="broken"</script>' : '';

const shop = (url: string): object => ({
  name: 'shop',
  url,
  rest: {
    tools: [
      {
        name: 'get-item',
        description: 'An item of the shop, by its id.',
        args: [
          { name: 'id', description: 'Its id', type: 'string', required: true, position: 'path' },
          {
            name: 'lang',
            description: 'Language',
            type: 'string',
            enum: ['en', 'de'],
            default: 'en',
            position: 'query',
          },
        ],
        requestTemplate: { url: '/items/{id}', method: 'GET' },
        responseTemplate: { body: '{{.name}} costs {{.price}}' },
      },
      {
        name: 'find-items',
        description: `Items whose name has a text. ${evil}`,
        args: [{ name: 'text', description: evil, type: 'string', position: 'query' }],
        requestTemplate: { url: '/items', method: 'GET' },
      },
    ],
  },
});

/** What is to be ended, the last one first. */
const endings: (() => void | Promise<void>)[] = [];
const ends = (end: () => void | Promise<void>): void => void endings.push(end);

let browser: Browser;
let where: Folders;
let server: LiveServer;
let service: { url: string; paths: string[] };

describeWithBrowser('the page', () => {
  beforeAll(async () => {
    browser = await startBrowser();
    ends(() => browser.close());
    service = await startShop();
    const notes = await startToolServer();
    ends(() => notes.stop());
    where = folders(ends);
    write(where, 'edge', {
      status: { env: 'STATUS' },
      sessions: { keys: [{ id: 1, env: 'KEY' }] },
      servers: [
        { name: 'notes', url: notes.url },
        { name: 'gone', url: 'http://127.0.0.1:1/mcp' },
      ],
      catalog: { namespace: 'shop', addresses: ['127.0.0.1'] },
    });
    write(where, 'internal', { servers: [{ name: 'wiki', url: 'https://wiki.tools.example/mcp' }] });
    write(where, 'staging', 'servers: [{ name: gone, url: "http://127.0.0.1:1/mcp" }]\nlg: info\n');
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const store = storeWith('0.2.0', '0.1.0');
    const catalogs = new Catalogs({ state: temporaryFolder(ends), store, log });
    await catalogs.open();
    await catalogs.of('shop').takeWhole({
      catalog: { servers: [{ ...shop(service.url), prefix: 'shop_' } as never], virtualServers: [] },
      problems: [],
      cause: 'put',
      by: 'ci',
    });
    server = await startLive(where, { store, catalogs }, ends);
    if (!hasEnvoy) return;
    const key = Buffer.alloc(32, 1).toString('base64url');
    const bootstrap = liveBootstrap(server.port, { id: 'gateway-1', cluster: 'edge' });
    const envoy = await startLiveEnvoy(envoyBinary(), bootstrap, { KEY: key, STATUS: statusToken }, undefined, ends);
    write(where, 'edge', `# where it is\n${envoy.mcp} ${statusToken}\n`, 'endpoints');
    await until('the Envoy is current', async () =>
      (await (await fetch(`${server.url}/gateways/edge`)).text()).includes('"state":"current"'),
    );
  }, 120_000);

  afterAll(async () => {
    for (const end of endings.toReversed()) await end();
  });

  test('shows plugins, gateways, catalogs, YAML and clients, and asks nobody but its own server', async () => {
    const page = await opened();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.getByText('0.2.0', { exact: true }).click();
    const plugins = page.locator('#plugins');
    const [newest] = server.store.versions('sluice');
    for (const shown of [newest?.sha256 ?? '', `${server.url}/plugins/sluice/0.2.0/plugin.wasm`, 'proxy-wasm 0.2.1']) {
      await plugins.getByText(shown, { exact: true }).waitFor();
    }
    await plugins.getByText(/^\d+ imports, all that a stock Envoy has$/).click();
    await plugins.getByText('proxy_log', { exact: true }).waitFor();

    const gateways = page.locator('#gateways');
    await foldable(page, '#gateways', 'staging').click();
    await gateways.getByText(/^lg: is not a member/).waitFor();
    await foldable(page, '#gateways', 'internal').click();
    await gateways.getByText('https://wiki.tools.example/mcp').waitFor();
    await gateways.getByText('put the URL of its /mcp into').first().waitFor();

    const yaml = page.locator('#yaml');
    await yaml.getByLabel('Gateway', { exact: true }).selectOption('internal');
    const titles = await yaml.getByLabel('For', { exact: true }).locator('option').allTextContents();
    expect(titles).toHaveLength(targetNames.length);
    for (const [index, target] of targetNames.entries()) {
      await yaml.getByLabel('For', { exact: true }).selectOption(target);
      const rendered = await fetch(`${server.url}/render/${target}?gateway=internal&server=${server.url}`);
      const text = await rendered.text();
      const region = yaml.getByRole('region', { name: `internal for ${titles[index] ?? ''}` });
      if (rendered.ok) expect(await region.textContent()).toBe(text);
      else await yaml.getByText((JSON.parse(text) as { error: { message: string } }).error.message).waitFor();
    }
    await yaml.getByLabel('For', { exact: true }).selectOption('kubernetes');
    await yaml.getByText('Options').click();
    await yaml.getByLabel('namespace').fill('Not A Name');
    await page.keyboard.press('Enter');
    await yaml.getByText(/^the request could not be read: namespace: takes the name of a namespace/).waitFor();

    const clients = page.locator('#clients');
    await clients.getByLabel('URL of the gateway').fill("https://mcp.example.com/it's");
    expect(await clients.getByRole('region', { name: 'Claude Code', exact: true }).textContent()).toBe(
      `claude mcp add --transport http sluice 'https://mcp.example.com/it'\\''s'`,
    );
    expect(await clients.getByRole('region', { name: 'MCP Inspector' }).textContent()).toBe(
      `npx @modelcontextprotocol/inspector --cli 'https://mcp.example.com/it'\\''s' --transport http --method tools/list`,
    );
    const url = "https://mcp.example.com/it's";
    for (const [client, configuration] of Object.entries({
      'Claude Code, for a project': { mcpServers: { sluice: { type: 'http', url } } },
      'Claude Desktop': { mcpServers: { sluice: { command: 'npx', args: ['-y', 'mcp-remote', url] } } },
      Cursor: { mcpServers: { sluice: { url } } },
      'VS Code': { servers: { sluice: { type: 'http', url } } },
    })) {
      const shown = await clients.getByRole('region', { name: client, exact: true }).textContent();
      expect(JSON.parse(shown ?? ''), client).toEqual(configuration);
    }
    expect(asked.filter((url) => !url.startsWith(`${server.url}/`))).toEqual([]);
  });

  test('shows text as text, whoever wrote it', async () => {
    const node = { id: evil, cluster: 'internal', user_agent_name: evil };
    const poll = (cluster: string): Promise<Response> =>
      fetch(`${server.url}/v3/discovery:clusters`, {
        method: 'POST',
        body: JSON.stringify({
          node: { ...node, cluster },
          type_url: 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
        }),
      });
    expect((await poll('internal')).status).toBe(200);
    expect((await poll(evil)).status).toBe(404);
    const page = await opened();
    await foldable(page, '#gateways', 'internal').click();
    await page.locator('#gateways').getByText(evil, { exact: true }).first().waitFor();
    await page.getByText('1 kind of polls rejected').click();
    await page.getByText(/there is no gateway "<img src=x/).waitFor();
    await foldable(page, '#catalogs', 'shop').nth(1).click();
    await page.locator('#catalogs').getByText(`Items whose name has a text. ${evil}`).waitFor();
    expect(await page.title()).toBe('Sluice plugin server');
    expect(await page.locator('img[src=x], script:not([src="/page/main.js"])').count()).toBe(0);
  });

  test.skipIf(!hasEnvoy)('tries a tool through the gateway, by keyboard, and shows what the Envoy says', async () => {
    const page = await opened();
    const edge = foldable(page, '#gateways', 'edge').first();
    await edge.focus();
    await page.keyboard.press('Enter');
    const gateways = page.locator('#gateways');
    await gateways.getByText('gateway-1', { exact: true }).waitFor();
    expect(await gateways.getByRole('region', { name: 'Servers' }).getByText('ok', { exact: true }).count()).toBe(3);
    const button = gateways.getByRole('button', { name: 'Try shop_get-item' });
    await button.focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Try a tool of edge' });
    await dialog.getByLabel('id (required)').focus();
    await page.keyboard.type('7');
    await page.keyboard.press('Enter');
    await dialog.getByText('succeeded', { exact: true }).waitFor();
    await dialog.getByText(`Lamp ${evil} costs 12.50`).first().waitFor();
    expect(service.paths).toContain('/items/7?lang=en');
    expect(await faultsOf(page)).toEqual([]);
    if (shots !== undefined) await page.screenshot({ path: join(shots, 'page-try.png') });
    await page.keyboard.press('Escape');
    expect(await page.evaluate('document.activeElement.ariaLabel')).toBe('Try shop_get-item');
    // The list of the tools has asked all servers meanwhile.
    await page.reload();
    await edge.click();
    await gateways.getByText(/^upstream_unreachable: /).waitFor();
    expect(await page.content()).not.toContain(statusToken);
  });

  test.each(['light', 'dark'] as const)('can be read by everybody in %s, and on 360 pixels', async (colorScheme) => {
    const page = await opened({ colorScheme, viewport: { width: 1200, height: 1250 } });
    await page.getByText('0.2.0', { exact: true }).click();
    await foldable(page, '#gateways', hasEnvoy ? 'edge' : 'internal')
      .first()
      .click();
    await page
      .getByText(hasEnvoy ? 'shop_find-items' : 'put the URL')
      .first()
      .waitFor();
    expect(await faultsOf(page)).toEqual([]);
    if (shots !== undefined) await page.screenshot({ path: join(shots, `page-${colorScheme}.png`) });
    await page.setViewportSize({ width: 360, height: 800 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
  });

  test('asks for a token where there is one, and keeps it nowhere', async () => {
    const guarded = folders();
    write(guarded, 'edge', { servers: [{ name: 'wiki', url: 'https://wiki.tools.example/mcp' }] });
    const { url } = await startLive(guarded, { publishToken, tokensRequired: true });
    const page = await opened({}, url);
    await page.getByText('An operator may see this').first().waitFor();
    await page.getByLabel('Operator token').fill('not-the-token-of-this-one');
    await page.getByRole('button', { name: 'Use' }).click();
    await page.getByText('it has to be one that allows publishing').first().waitFor();
    await page.getByLabel('Operator token').fill(publishToken);
    await page.keyboard.press('Enter');
    await page.locator('#gateways').getByText('https://wiki.tools.example/mcp').waitFor();
    expect(await page.getByLabel('Operator token').isVisible()).toBe(false);
    const kept = await page.evaluate(
      '[document.documentElement.outerHTML, document.cookie, JSON.stringify([localStorage, sessionStorage]), location.href].join()',
    );
    expect(kept).not.toContain(publishToken);
    expect(await page.getByLabel('Operator token').inputValue()).toBe('');
  });
});

function foldable(page: Page, section: string, name: string) {
  return page.locator(`${section} summary`, { has: page.getByText(name, { exact: true }) });
}

/** What axe finds at the page as it is now: WCAG 2.2 AA, and what is good practice. */
async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const run = (globalThis as unknown as { axe: { run: () => Promise<AxeResults> } }).axe;
    const { violations } = await run.run();
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
}

interface AxeResults {
  readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[];
}

async function startShop(): Promise<{ url: string; paths: string[] }> {
  const paths: string[] = [];
  const http = createServer((request, response) => {
    paths.push(request.url ?? '');
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ name: `Lamp ${evil}`, price: '12.50' }));
  }).listen(0, '127.0.0.1');
  await once(http, 'listening');
  ends(() => void http.close());
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, paths };
}

/** The page, once it shows what there is; what goes wrong in it fails the test. */
async function opened(options: BrowserContextOptions = {}, url = server.url): Promise<Page> {
  const context = await browser.newContext(options);
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on('pageerror', ({ message }) => wrong.push(message));
  page.on('console', (message) => {
    // A refusal of the server is told on the page, and by the browser too.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) wrong.push(message.text());
  });
  onTestFinished(() => {
    expect(wrong).toEqual([]);
  });
  await page.goto(`${url}/`);
  await page.getByText(/^As of/).waitFor();
  return page;
}
