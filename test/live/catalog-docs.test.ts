// The configurations and commands of docs/catalog.md and docs/nacos.md are ones that are taken.
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { serve } from '../../cli/serve/command.ts';
import { readConfiguration } from '../../envoy/check/configuration.ts';
import { readCatalog } from '../../plugin-server/catalog/check.ts';
import { checkGatewayText } from '../../plugin-server/live/check.ts';
import { Host } from '../filter/host.ts';
import { storeWith } from './support.ts';

const pages = await Promise.all(
  ['catalog', 'nacos'].map((name) => readFile(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8')),
);
const blocks = (language: string): string[] =>
  pages.flatMap((page) =>
    [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map(([, text = '']) => text),
  );

test.each(blocks('yaml'))('this is taken:\n%s', async (text) => {
  const { catalog } = parse(text) as { catalog?: object };
  if (catalog !== undefined && 'cluster' in catalog) {
    const environment = { SLUICE_CATALOG_TOKEN: 'a-token' };
    expect(new Host({ configuration: JSON.stringify({ catalog }), environment }).configure()).toBe(true);
    const { findings } = readConfiguration('sluice.yaml', Buffer.from(text), 'any');
    expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  } else if (catalog !== undefined) {
    const additions = {
      wanted: { servers: [{ name: 'a', prefix: 'a_', url: 'http://a.example/' }], virtualServers: [] },
      previous: undefined,
    };
    const { problems, accepted } = await checkGatewayText(text, storeWith('0.1.0'), additions);
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(accepted?.catalog?.servers).toHaveLength(1);
  } else expect(readCatalog('public', 'catalog.yaml', Buffer.from(text))).toMatchObject({ problems: [] });
});

test('the commands are ones that there are', () => {
  const commands = blocks('sh')
    .flatMap((block) => block.split('\n'))
    .filter((line) => line.includes('sluice serve'));
  expect(commands).toHaveLength(2);
  for (const command of commands) serve.parse(command.replace(/^.*sluice serve /, '').split(/\s+/));
});
