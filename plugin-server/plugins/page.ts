import { createHash } from 'node:crypto';
import type { Listing, PluginListing } from '../metadata.ts';

const style = `
:root { color-scheme: light dark; --line: #8884; --quiet: #767676; --accent: #0b6bcb; }
@media (prefers-color-scheme: dark) { :root { --quiet: #9a9a9a; --accent: #6cb2ff; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2.5rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .5rem; }
a { color: var(--accent); text-decoration: none; }
a:hover, a:focus { text-decoration: underline; }
p, .quiet { color: var(--quiet); }
code, td { font-variant-numeric: tabular-nums; }
code { font: .85em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; user-select: all; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-weight: 600; font-size: .8rem; color: var(--quiet); }
th, td { padding: .5rem .9rem .5rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th:nth-child(1) { width: 9rem; }
th:nth-child(2) { width: 6.5rem; text-align: right; }
td:nth-child(-n + 2) { white-space: nowrap; }
td.number { text-align: right; }
footer { margin-top: 3rem; font-size: .85rem; color: var(--quiet); }
`;

/** Nothing but this one style sheet: a name that slipped through as markup could still load and run nothing. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * The listing for people: what there is, how large, and what to copy into a gateway's configuration.
 * @param title the plugin whose page it is; absent for all of them
 */
export function listingPage(plugins: readonly PluginListing[], title?: string): string {
  const count = plugins.reduce((sum, { versions }) => sum + versions.length, 0);
  const heading = title === undefined ? 'Plugins' : escape(title);
  const back = title === undefined ? '' : '<p><a href="/plugins">All plugins</a></p>';
  const empty = plugins.length === 0 ? '<p>Nothing has been published yet.</p>' : '';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${heading} · Sluice plugin server</title>
<style>${style}</style>
</head>
<body>
<h1>${heading}</h1>
<p>${number(count)} ${count === 1 ? 'version' : 'versions'}. A version never changes; give gateways its URL and its SHA-256.</p>
${back}${empty}${plugins.map((plugin) => section(plugin, title === undefined)).join('')}
<footer>The same as JSON: <code>curl</code> this address. The API: <a href="/openapi.json">openapi.json</a></footer>
</body>
</html>
`;
}

function section({ name, versions }: PluginListing, withHeading: boolean): string {
  const heading = withHeading ? `<h2><a href="/plugins/${encodeURIComponent(name)}">${escape(name)}</a></h2>` : '';
  return `${heading}
<div class="scroll"><table>
<thead><tr><th>Version</th><th>Size</th><th>Module</th><th>SHA-256</th></tr></thead>
<tbody>
${versions.map((version) => row(version)).join('\n')}
</tbody>
</table></div>
`;
}

function row({ version, size, sha256, url, signature, signedBy }: Listing): string {
  const base = url.slice(0, -'plugin.wasm'.length);
  const links = [
    ['metadata', `${base}metadata.json`],
    ['gzip', `${base}plugin.wasm.gz`],
    ['tar', `${base}plugin.tar`],
    ...(signature === undefined ? [] : [[signedBy === undefined ? 'signature' : `signed by ${signedBy}`, signature]]),
  ].map(([text = '', target = '']) => `<a href="${escape(target)}">${escape(text)}</a>`);
  return `<tr><td>${escape(version)}</td><td class="number">${number(size)} B</td>
<td><code>${escape(url)}</code><br><a href="${escape(url)}" download>download</a> · ${links.join(' · ')}</td>
<td><code>${sha256}</code></td></tr>`;
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
