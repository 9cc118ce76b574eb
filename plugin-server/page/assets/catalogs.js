// The catalogs: servers and tools that gateways take on.
import { ask, path } from './api.js';
import { badge, contentOf, counted, foldable, h, note, pairs, timeText } from './dom.js';
import { openTry } from './try.js';

/**
 * @param {{ catalogs: any[], problems: string[] }} listing `GET /catalogs`
 * @param {string[]} gateways names of all
 */
export function showCatalogs({ catalogs, problems }, gateways) {
  const cards = catalogs.map((catalog) =>
    h(
      'div.card',
      {},
      foldable(`catalog ${catalog.name}`, summaryOf(catalog), () => details(catalog, gateways), catalogs.length === 1),
    ),
  );
  contentOf('catalogs').replaceChildren(
    ...problems.map((line) => note('warn', line)),
    ...(cards.length > 0 ? cards : [note('', 'No catalog yet; docs/catalog.md says how to make one.')]),
  );
}

function summaryOf({ name, version, servers, rolledBack, problems }) {
  return [
    h('b', {}, name),
    version === null ? badge('nothing given out', 'bad') : h('span.quiet', {}, `version ${version.generation}`),
    h('span.quiet', {}, counted(servers, 'server')),
    h(
      'span.end.row',
      {},
      rolledBack && badge('rolled back', 'warn'),
      problems.length > 0
        ? badge(counted(problems.length, 'problem'), 'warn')
        : version !== null && badge('given out', 'good'),
    ),
  ];
}

async function details({ name, problems, version }, gateways) {
  const list =
    problems.length > 0 &&
    note('warn', h('ul', {}, ...problems.map((each) => h('li', {}, h('code', {}, each.path), ' ', each.message))));
  if (version === null) return [list || note('', 'Its source was not read yet.')];
  const [{ servers, virtualServers, revision }, known] = await Promise.all([
    ask(path('catalog', name)),
    Promise.all(gateways.map((gateway) => ask(path('gateways', gateway)).catch(() => undefined))),
  ]);
  const users = known.filter((gateway) => gateway?.contents?.catalogs.includes(name));
  return [
    list,
    pairs([
      ['Revision', h('code', {}, revision)],
      ['Given out', [timeText(version.created), version.by ? ` by ${version.by}` : '', ` (${version.cause})`]],
      ['Gateways', users.length === 0 ? 'none names it' : users.map((gateway) => gateway.name).join(', ')],
      virtualServers.length > 0 && ['Virtual servers', virtualServers.map((each) => each.name).join(', ')],
    ]),
    ...servers.map((server) => serverCard(name, server, users)),
  ];
}

function serverCard(catalog, server, users) {
  const tools = server.rest?.tools ?? [];
  const where =
    server.url ?? (server.endpoints ? counted(server.endpoints.length, 'instance') : `cluster ${server.cluster}`);
  const summary = [
    h('b', {}, server.name),
    badge(server.rest === undefined ? 'MCP' : `REST, ${counted(tools.length, 'tool')}`),
    h('code.quiet', {}, withoutQuery(where)),
  ];
  return foldable(`catalog server ${catalog} ${server.name}`, summary, () => [
    tools.length === 0
      ? h('p.quiet', {}, 'Its tools are its own: a gateway that has it lists them.')
      : h('ul.list', {}, ...tools.map((tool) => toolRow(tool, server, users))),
  ]);
}

function toolRow({ name, description = '', args = [] }, server, users) {
  const [gateway] = users;
  const known = gateway?.contents.servers.find(
    ({ name: each }) => each === server.name || each.endsWith(`-${server.name}`),
  );
  const tool = `${known?.prefix ?? server.prefix}${name}`;
  return h(
    'li.tool',
    {},
    h(
      'div',
      {},
      h('b.mono', {}, tool),
      h('div.quiet', {}, description),
      args.length > 0 &&
        h(
          'ul.pairs',
          {},
          ...args.map((arg) =>
            h(
              'li',
              {},
              h(
                'code.badge',
                { title: arg.description },
                `${arg.name}: ${arg.type ?? 'string'}${arg.required ? '' : '?'}`,
              ),
            ),
          ),
        ),
    ),
    gateway
      ? h(
          'button.small',
          { type: 'button', 'aria-label': `Try ${tool}`, click: () => openTry({ gateway: gateway.name, tool }) },
          'Try',
        )
      : h('span.quiet', {}, 'no gateway has it'),
  );
}

/** A query may hold what is no business of who looks. @param {string} text */
function withoutQuery(text) {
  return text.replace(/[?#].*/s, '');
}
