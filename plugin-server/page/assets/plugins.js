// The modules that the server gives out.
import { ask, path } from './api.js';
import { badge, contentOf, copyButton, counted, foldable, h, note, pairs, sizeText, timeText } from './dom.js';

/** Versions of a plugin that are shown at first. */
const shown = 8;

/** @param {{ plugins: any[], withheld?: any[] }} listing `GET /plugins` */
export function showPlugins({ plugins, withheld = [] }) {
  const names = new Set([...plugins, ...withheld].map(({ name }) => name));
  const cards = [...names].sort().map((name) => {
    const versions = plugins.find((each) => each.name === name)?.versions ?? [];
    return pluginCard(
      name,
      versions,
      withheld.filter((each) => each.name === name),
    );
  });
  contentOf('plugins').replaceChildren(...(cards.length > 0 ? cards : [note('', 'Nothing has been published yet.')]));
}

function pluginCard(name, versions, withheld) {
  const card = h('div.card', { id: `plugin-${name}` }, h('h3', {}, name));
  card.append(...withheld.map((each) => withheldRow(each)));
  card.append(...versions.slice(0, shown).map((each) => versionRow(name, each)));
  const more = versions.length - shown;
  if (more > 0) {
    const button = h('button', { type: 'button', click: showAll }, `Show ${counted(more, 'older version')}`);
    const row = h('p.body', {}, button);
    card.append(row);
    function showAll() {
      const rows = versions.slice(shown).map((each) => versionRow(name, each));
      row.replaceWith(...rows);
      rows[0].querySelector('summary').focus();
    }
  }
  return card;
}

function versionRow(name, version) {
  const { sha256, size, signature, signedBy } = version;
  const signed =
    signature === undefined
      ? badge('not signed')
      : signedBy === undefined
        ? badge('signed, key unknown', 'warn')
        : badge(`signed by ${signedBy}`, 'good');
  const summary = [
    h('b', {}, version.version),
    h('span.quiet', {}, sizeText(size)),
    h('code.quiet', {}, `${sha256.slice(0, 12)}…`),
    h('span.end', {}, signed),
  ];
  return foldable(`plugin ${name} ${version.version}`, summary, () => details(name, version.version));
}

function withheldRow({ name, version, code, reason }) {
  const summary = [h('b', {}, version), h('span.end', {}, badge('not given out', 'bad'))];
  return foldable(`withheld ${name} ${version}`, summary, () => [note('bad', `${code}: ${reason}`)]);
}

async function details(name, version) {
  const known = await ask(`${path('plugins', name, version)}/metadata.json`);
  const at = (file) => `${path('plugins', name, version)}/${file}`;
  const { abi, imports, exports, sha256, size, published, signature } = known;
  const url = location.origin + at('plugin.wasm');
  const oci = `oci://${location.host}/${name}:${version.replace('+', '_')}`;
  const foreign = imports.filter(({ host }) => host !== 'envoy');
  const link = (file, text = file) => h('a', { href: at(file) }, text);
  const files = ['plugin.wasm', 'plugin.wasm.gz', 'plugin.tar', 'plugin.tar.gz', 'plugin.wasm.sha256'];
  if (signature !== undefined) files.push('plugin.wasm.sig');
  const copied = (what, text) =>
    h(
      'div.row',
      {},
      h('code', {}, text),
      copyButton(what, () => text),
    );
  return [
    pairs([
      ['SHA-256', copied('SHA-256', sha256)],
      ['URL', copied('URL', url)],
      ['OCI', copied('OCI URL', oci)],
      ['Size', `${size.toLocaleString('en')} bytes`],
      ['ABI', `proxy-wasm ${abi}`],
      ['Published', [timeText(published.at), published.by ? ` by ${published.by}` : '', ` from ${published.source}`]],
      ['Files', h('div.row', {}, ...files.map((file) => link(file)), link('metadata.json'))],
    ]),
    foreign.length > 0 &&
      note(
        'bad',
        'A stock Envoy would not load it: ',
        foreign.map((each) => `${each.module}.${each.name} (${each.host})`).join(', '),
      ),
    names(
      `imports ${name} ${version}`,
      `${counted(imports.length, 'import')}, all that a stock Envoy has`,
      imports,
      foreign.length > 0,
    ),
    names(
      `exports ${name} ${version}`,
      counted(exports.length, 'export'),
      exports.map((each) => ({ name: each })),
    ),
  ];
}

function names(key, title, list, isForeign = false) {
  const heading = isForeign ? title.replace(/,.*/, '') : title;
  return foldable(key, [heading], () => [
    h('ul.pairs', {}, ...list.map(({ name, module }) => h('li', {}, h('code.badge', { title: module }, name)))),
  ]);
}
