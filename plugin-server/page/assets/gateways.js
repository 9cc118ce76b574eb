// The gateways: what they are given, what their Envoys report, and what these say themselves.
import { ask, path } from './api.js';
import { badge, contentOf, counted, foldable, h, note, pairs, table, timeText } from './dom.js';
import { openTry, toolsOf } from './try.js';

/** Tools of a gateway that are shown at first. */
const shownTools = 50;

/** @param {{ gateways: any[], problems: string[], rejected: any[] }} live `GET /gateways` */
export function showGateways({ gateways, problems, rejected }) {
  const cards = gateways.map((gateway) =>
    h(
      'div.card',
      {},
      foldable(`gateway ${gateway.name}`, summaryOf(gateway), () => details(gateway), gateways.length === 1),
    ),
  );
  const none = note('', 'No gateway yet: put one at ', h('code', {}, '<gateways>/NAME/sluice.yaml'), '.');
  const elsewhere = problems.filter((line) => !gateways.some(({ name }) => line.startsWith(`${name}: `)));
  contentOf('gateways').replaceChildren(
    ...elsewhere.map((line) => note('warn', line)),
    ...(cards.length > 0 ? cards : [none]),
    ...(rejected.length > 0 ? [h('div.card', {}, rejectedPolls(rejected))] : []),
  );
}

function summaryOf({ name, version, refused, rolledBack, catalogProblems, nodes }) {
  const states = (state) => nodes.filter((node) => node.state === state).length;
  const wrong = states('refuses') + states('waits');
  return [
    h('b', {}, name),
    version === null
      ? badge('nothing given out', 'bad')
      : h('span.quiet', {}, `version ${version.generation}, ${version.module.name} ${version.module.version}`),
    h(
      'span.quiet',
      {},
      nodes.length === 0 ? 'no Envoy' : `${states('current')} of ${counted(nodes.length, 'Envoy')} current`,
    ),
    h(
      'span.end.row',
      {},
      refused && badge('last edit refused', 'bad'),
      rolledBack && badge('rolled back', 'warn'),
      catalogProblems.length > 0 && badge('catalog incomplete', 'warn'),
      wrong > 0 && badge(counted(wrong, 'Envoy does', 'Envoys do') + ' not apply it', 'bad'),
      !refused &&
        !rolledBack &&
        wrong === 0 &&
        version !== null &&
        catalogProblems.length === 0 &&
        (nodes.length > 0 ? badge('applied', 'good') : badge('waits for an Envoy')),
    ),
  ];
}

async function details({ name }) {
  const at = path('gateways', name);
  const [gateway, { endpoints }] = await Promise.all([
    ask(at),
    ask(`${at}/endpoints`).catch((error) => ({ endpoints: [{ url: 'endpoints', problem: error.message }] })),
  ]);
  const { contents, nodes, versions, refused, warnings, catalogProblems } = gateway;
  return [
    refused && problemList('bad', ['The edit of ', timeText(refused.since), ' was refused:'], refused.problems),
    catalogProblems.length > 0 && problemList('warn', ['Not taken from its catalogs:'], catalogProblems),
    warnings.length > 0 && problemList('warn', ['Warnings:'], warnings),
    contents && contentsList(contents),
    contents && h('h3', {}, 'Servers'),
    contents && serverTable(contents, endpoints),
    h('h3', {}, 'Tools'),
    endpoints.length > 0 ? toolList(name) : unknownEndpoint(name),
    h('h3', {}, 'Envoys, by what they poll'),
    nodes.length === 0 ? noEnvoy(name) : nodeTable(nodes),
    endpoints.length > 0 && h('h3', {}, 'Envoys, by their own status'),
    ...endpoints.map(endpointNote),
    foldable(`versions ${name}`, [`${counted(versions.length, 'version')} kept`], () => [versionTable(versions)]),
  ];
}

function noEnvoy(name) {
  const command = h('code', {}, `envoy -c envoy/live.yaml --service-cluster ${name} --service-node NAME`);
  return h('p.quiet', {}, 'None has asked in the last 15 minutes. One that asks: ', command);
}

function unknownEndpoint(name) {
  return h(
    'p.quiet',
    {},
    'Where it is reached is not known here: put the URL of its /mcp into ',
    h('code', {}, `<gateways>/${name}/endpoints`),
    ', and its tools can be listed and tried.',
  );
}

function problemList(kind, title, problems) {
  return note(
    kind,
    ...title,
    h(
      'ul',
      {},
      ...problems.map(({ path: where, message }) =>
        h('li', {}, where && h('code', {}, where), where ? ': ' : '', message),
      ),
    ),
  );
}

function contentsList({ endpoint, hostMode, catalogs, virtualServers, sessions }) {
  const keys = sessions.keys.length;
  return pairs([
    ['Endpoint', h('code', {}, endpoint)],
    ['Host mode', hostMode],
    [
      'Sessions',
      keys === 0
        ? 'sealed with a key that each Envoy makes itself: a restart ends them'
        : `sealed with ${keys === 1 ? 'key' : 'keys'} ${sessions.keys.join(', ')}, for ${sessions.ttl}; any Envoy opens them`,
    ],
    catalogs.length > 0 && ['Catalogs', catalogs.join(', ')],
    virtualServers.length > 0 && ['Virtual servers', virtualServers.join(', ')],
  ]);
}

function serverTable({ servers }, endpoints) {
  const states = (name) =>
    endpoints.flatMap(({ status }) => status?.servers.filter((server) => server.name === name) ?? []);
  return table(
    'Servers',
    ['Name', 'Prefix', 'Kind', 'Where', 'State'],
    servers.map(({ name, prefix, kind, at, tools }) => [
      h('b', {}, name),
      h('code', {}, prefix || '–'),
      kind === 'rest' ? `REST, ${counted(tools.length, 'tool')}` : 'MCP',
      h('code', {}, at),
      stateOf(states(name)),
    ]),
  );
}

function stateOf(reports) {
  if (reports.length === 0) return h('span.quiet', {}, 'not known');
  const failing = reports.find(({ state }) => state !== 'ok') ?? reports.find(({ lastFailure }) => lastFailure);
  if (failing === undefined) return badge('ok', 'good');
  const { state, lastFailure } = failing;
  return h(
    'div',
    {},
    badge(state, state === 'ok' ? 'good' : state.startsWith('depends') ? '' : 'bad'),
    lastFailure && h('div.quiet', {}, `${lastFailure.reason}: ${lastFailure.detail}, `, timeText(lastFailure.at)),
  );
}

function toolList(gateway) {
  const list = h('div', { 'aria-live': 'polite' }, h('p.quiet', {}, 'Asking the gateway …'));
  toolsOf(gateway).then(
    ({ tools, isWhole }) => {
      const rows = tools.map((tool) => toolRow(gateway, tool));
      const more = rows.splice(shownTools);
      const button = h(
        'button',
        { type: 'button', click: () => button.replaceWith(h('ul.list', {}, ...more)) },
        `Show ${counted(more.length, 'more tool')}`,
      );
      list.replaceChildren(
        h(
          'p.quiet',
          {},
          `${isWhole ? '' : 'More than '}${counted(tools.length, 'tool')}, as a client without a token sees them`,
        ),
        h('ul.list', {}, ...rows),
        ...(more.length > 0 ? [button] : []),
      );
    },
    (error) => {
      list.replaceChildren(
        note('warn', error.message),
        h('button', { type: 'button', click: () => openTry({ gateway }) }, 'Try with a token'),
      );
    },
  );
  return list;
}

function toolRow(gateway, tool) {
  const { name, title, description = '' } = tool;
  const text = description.length > 180 ? `${description.slice(0, 180)}…` : description;
  return h(
    'li.tool',
    {},
    h('div', {}, h('b.mono', {}, name), title ? ` ${title}` : '', h('div.quiet', {}, text)),
    h(
      'button.small',
      { type: 'button', 'aria-label': `Try ${name}`, click: () => openTry({ gateway, tool: name }) },
      'Try',
    ),
  );
}

function nodeTable(nodes) {
  const kinds = { current: 'good', behind: 'warn', waits: 'bad', refuses: 'bad' };
  return table(
    'Envoys',
    ['Node', 'State', 'Applied', 'Engine', 'Last poll'],
    nodes.map(({ id, address, state, problem, clusters, filters, engine, lastSeen }) => [
      h('div', {}, h('b', {}, id), h('div.quiet', {}, address)),
      h('div', {}, badge(state, kinds[state]), problem && h('div', {}, problem)),
      h(
        'code',
        { title: 'version of the filters, and of the clusters' },
        Object.values(filters)[0] || clusters || 'nothing',
      ),
      engine,
      timeText(lastSeen),
    ]),
  );
}

function endpointNote({ url, status, problem }) {
  if (problem !== undefined) return note('warn', h('code', {}, url), ': ', problem);
  const { version, configuration, limits } = status;
  return note(
    '',
    h('code', {}, url),
    `: ${version}, configuration ${configuration}`,
    ...limits.map(({ name, times, at }) =>
      h('div', {}, `Limit met: ${name}, ${counted(times, 'time')}, last `, timeText(at)),
    ),
  );
}

function versionTable(versions) {
  return table(
    'Versions',
    ['Version', 'Because of', 'Module', 'Made'],
    versions.map(({ generation, version, cause, module, created }) => [
      h('div', {}, h('b', {}, generation), ' ', h('code.quiet', {}, version)),
      cause,
      `${module.name} ${module.version}`,
      timeText(created),
    ]),
  );
}

function rejectedPolls(rejected) {
  return foldable('rejected', [badge(counted(rejected.length, 'kind') + ' of polls rejected', 'bad')], () => [
    table(
      'Rejected polls',
      ['From', 'Why', 'Times', 'Last'],
      rejected.map(({ address, code, message, times, last }) => [
        address,
        `${code}: ${message}`,
        times,
        timeText(last),
      ]),
    ),
  ]);
}
