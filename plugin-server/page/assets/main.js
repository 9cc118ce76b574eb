// Asks for everything, and has each section show its part.
import { Refusal, ask, path, useToken } from './api.js';
import { showCatalogs } from './catalogs.js';
import { showClients } from './clients.js';
import { badge, byId, contentOf, counted, h, note, sizeText, tell } from './dom.js';
import { showGateways } from './gateways.js';
import { showPlugins } from './plugins.js';
import { showYaml } from './yaml.js';

/** Gateways whose endpoints are asked for, to be offered to clients. */
const mostAsked = 20;

const access = /** @type {HTMLFormElement} */ (byId('access'));
const token = /** @type {HTMLInputElement} */ (byId('token'));

access.addEventListener('submit', (event) => {
  event.preventDefault();
  useToken(token.value.trim());
  token.value = '';
  void show();
});
byId('refresh').addEventListener('click', () => void show());
void show().then(() => {
  // What the address names was not there when the page was.
  document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
});

async function show() {
  const [ready, plugins, gateways, catalogs, api] = await Promise.all(
    ['/readyz', '/plugins', '/gateways', '/catalogs', '/openapi.json'].map((where) =>
      ask(where).catch((error) => error),
    ),
  );
  const refusals = [gateways, catalogs].filter((each) => each instanceof Refusal);
  // Where the server asks for a token, it is told; where it has no gateways, there is nothing to be opened.
  access.hidden = !refusals.some(({ status }) => status === 401);
  if (plugins instanceof Error) contentOf('plugins').replaceChildren(note('bad', plugins.message));
  else showPlugins(plugins);
  const names = gateways instanceof Error ? [] : gateways.gateways.map(({ name }) => name);
  if (gateways instanceof Error) contentOf('gateways').replaceChildren(refused(gateways));
  else showGateways(gateways);
  if (catalogs instanceof Error) contentOf('catalogs').replaceChildren(refused(catalogs));
  else showCatalogs(catalogs, names);
  if (gateways instanceof Error) contentOf('yaml').replaceChildren(refused(gateways));
  else if (!(api instanceof Error)) showYaml(names, api);
  showClients(await endpointsOf(names));
  showOverview(ready, gateways, catalogs);
  tell(`As of ${new Date().toLocaleTimeString()}`);
}

/** @param {Error} error */
function refused(error) {
  const { message } = error;
  const { status, code } = error instanceof Refusal ? error : { status: 0, code: '' };
  if (status === 401)
    return note(
      'warn',
      'An operator may see this: type a token that allows publishing at the top of the page. ',
      `(${message})`,
    );
  if (code === 'live_off')
    return note('', 'This server delivers nothing live. Started with ', h('code', {}, '--gateways DIR'), ' it does.');
  if (code === 'catalogs_off') {
    return note(
      '',
      'This server has no catalogs. Started with ',
      h('code', {}, '--catalogs DIR'),
      ', ',
      h('code', {}, '--nacos URL'),
      ' or ',
      h('code', {}, '--gateways DIR'),
      ' it has.',
    );
  }
  return note('bad', message);
}

/** @param {string[]} gateways */
async function endpointsOf(gateways) {
  const asked = gateways
    .slice(0, mostAsked)
    .map((name) => ask(`${path('gateways', name)}/endpoints`).catch(() => ({ endpoints: [] })));
  return (await Promise.all(asked)).flatMap(({ endpoints }) => endpoints.map(({ url }) => url));
}

function showOverview(ready, gateways, catalogs) {
  const tile = (value, text) => h('div.tile', {}, h('b', {}, value), h('span.quiet', {}, text));
  const store = ready.store ?? {};
  const kinds = { ready: 'good', draining: 'warn' };
  const nodes = gateways instanceof Error ? [] : gateways.gateways.flatMap((gateway) => gateway.nodes);
  const state = ready instanceof Error ? 'not reached' : ready.status;
  const problems = Object.values(ready).flatMap((part) => [
    ...(part?.problems ?? []),
    ...(part?.damaged ?? []),
    ...(part?.withheld ?? []),
  ]);
  byId('overview').replaceChildren(
    h(
      'div.tiles',
      {},
      h(
        'div.tile',
        {},
        h('b', {}, badge(state, kinds[state] ?? 'bad')),
        h('span.quiet', {}, `publishing ${store.publishing === 'on' ? 'on' : 'off'}`),
      ),
      tile(store.plugins ?? '–', counted(store.plugins ?? 0, 'plugin').replace(/^\S+ /, '')),
      tile(
        store.versions ?? '–',
        `${counted(store.versions ?? 0, 'version').replace(/^\S+ /, '')}, ${sizeText(store.bytes ?? 0)}`,
      ),
      gateways instanceof Error
        ? null
        : tile(gateways.gateways.length, counted(gateways.gateways.length, 'gateway').replace(/^\S+ /, '')),
      gateways instanceof Error
        ? null
        : tile(`${nodes.filter((node) => node.state === 'current').length} of ${nodes.length}`, 'Envoys current'),
      catalogs instanceof Error
        ? null
        : tile(catalogs.catalogs.length, counted(catalogs.catalogs.length, 'catalog').replace(/^\S+ /, '')),
    ),
    problems.length > 0 ? note('warn', h('ul', {}, ...problems.map((line) => h('li', {}, String(line))))) : '',
  );
}
