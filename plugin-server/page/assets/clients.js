// What to copy into an MCP client.
import { contentOf, copyable, field, h, input, note } from './dom.js';

/** @param {string[]} endpoints that are known */
export function showClients(endpoints) {
  const content = contentOf('clients');
  if (content.querySelector('form')) return; // what was typed stays
  const guess = `http://${location.hostname}:10000/mcp`;
  const url = input({ type: 'url', value: endpoints[0] ?? guess, required: true, list: 'known-endpoints' });
  const name = input({ value: 'sluice', required: true, maxlength: 64 });
  const output = h('div.pieces');
  const show = () => {
    const isUrl = URL.canParse(url.value) && /^https?:/i.test(url.value);
    const isName = /^[A-Za-z0-9_-]+$/.test(name.value);
    if (!isUrl) output.replaceChildren(note('warn', 'Type the URL of the gateway, like http://127.0.0.1:10000/mcp.'));
    else if (!isName) output.replaceChildren(note('warn', 'A name has letters, digits, - and _.'));
    else output.replaceChildren(...configurations(name.value, new URL(url.value).href));
  };
  content.replaceChildren(
    h(
      'div.card',
      {},
      h(
        'div.body',
        {},
        h('p'),
        h(
          'form',
          { submit: (event) => event.preventDefault(), input: show },
          h('div.fields', {}, field('URL of the gateway', url), field('Its name in the client', name)),
          h('datalist', { id: 'known-endpoints' }, ...endpoints.map((value) => h('option', { value }))),
        ),
        output,
      ),
    ),
  );
  show();
}

/** @param {string} name @param {string} url */
function configurations(name, url) {
  // On one line, as people write it.
  const json = (value) => JSON.stringify(value, undefined, 1).replaceAll(/\n */g, ' ');
  return [
    copyable('Claude Code', `claude mcp add --transport http ${name} ${quoted(url)}`, 'in a shell'),
    copyable('Claude Code, for a project', json({ mcpServers: { [name]: { type: 'http', url } } }), '.mcp.json'),
    copyable(
      'Claude Desktop',
      json({ mcpServers: { [name]: { command: 'npx', args: ['-y', 'mcp-remote', url] } } }),
      'claude_desktop_config.json',
    ),
    copyable('Cursor', json({ mcpServers: { [name]: { url } } }), '.cursor/mcp.json'),
    copyable('VS Code', json({ servers: { [name]: { type: 'http', url } } }), '.vscode/mcp.json'),
    copyable('Codex', `codex mcp add ${name} --url ${quoted(url)}`, 'in a shell'),
    copyable(
      'MCP Inspector',
      `npx @modelcontextprotocol/inspector --cli ${quoted(url)} --transport http --method tools/list`,
      'in a shell',
    ),
  ];
}

/** For a POSIX shell. @param {string} text */
function quoted(text) {
  return /^[\w.:/-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
