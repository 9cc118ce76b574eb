// README.md is what a stranger goes by: its commands exist, its options are understood.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse as parseToml } from 'smol-toml';
import { describe, expect, test } from 'vitest';
import { start } from '../../cli/start/command.ts';
import { faultsOfPicture } from '../docs/pages.ts';
import { clone } from './support.ts';

const readme = readFileSync(join(clone, 'README.md'), 'utf8');
const commands = [...readme.matchAll(/^```sh\n(.*?)^```/gms)]
  .flatMap(([, block]) => (block ?? '').split('\n'))
  .map((line) => line.replace(/#.*/, '').trim())
  .filter((line) => line !== '');

test('its commands are scripts of the package, `sluice` with options that it has, or a bridge to a server that speaks stdio', () => {
  const { scripts } = JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8')) as { scripts: object };
  expect(commands.length).toBeGreaterThan(2);
  for (const command of commands) {
    const [program, name, ...rest] = command.split(/\s+/);
    if (program === 'npm') expect(scripts).toHaveProperty(name ?? '');
    else if (name === 'sluice') {
      expect([program, rest[0]]).toEqual(['npx', 'start']);
      expect(() => start.parse(rest.slice(1))).not.toThrow();
    } else expect(command).toMatch(/^(?:uvx mcp-proxy|npx -y supergateway) .*--port 3001\b/);
  }
});

describe('its client configuration', () => {
  const listen = start.parse([])?.listen;
  const url = `http://${listen?.host ?? ''}:${listen?.port ?? 0}/mcp`; // the address that `sluice start` takes by default
  const blocks = [...readme.matchAll(/^```(json|toml)\n(.*?)^```/gms)].map(([, kind, text = '']) =>
    kind === 'json' ? (JSON.parse(text) as object) : parseToml(text),
  );

  test('has a form for each client', () => {
    // As `claude mcp add` 2 and `codex mcp add` write them; as VS Code and Cursor document them.
    expect(blocks).toEqual([
      { mcpServers: { sluice: { type: 'http', url } } },
      { mcpServers: { sluice: { command: 'npx', args: ['-y', 'mcp-remote', url] } } },
      { servers: { sluice: { type: 'http', url } } },
      { mcpServers: { sluice: { url } } },
      { mcp_servers: { sluice: { url } } },
    ]);
  });

  test('has the same URL everywhere', () => {
    expect([...new Set(readme.match(/http:\/\/127\.0\.0\.1:10000[^\s"`]*/g))]).toEqual([url]);
  });
});

test('its picture is well-formed, has words for who cannot see it, and colours for both kinds of screens', () => {
  expect(readme).toMatch(/!\[[^\]]{20,}\]\(docs\/overview\.svg\)/);
  expect(faultsOfPicture(readFileSync(join(clone, 'docs/overview.svg'), 'utf8'))).toEqual([]);
});
