// A gateway as YAML, for those who take no live configuration.
import { ask } from './api.js';
import { contentOf, copyable, field, h, input, note, select } from './dom.js';

const titles = {
  envoy: 'Envoy',
  wasmplugin: 'Istio WasmPlugin',
  trafficextension: 'Istio TrafficExtension',
  envoyfilter: 'Istio EnvoyFilter',
  'istio-services': 'Istio services',
  'envoy-gateway': 'Envoy Gateway',
  kubernetes: 'Kubernetes',
};

/**
 * @param {string[]} gateways names of all
 * @param {any} api `GET /openapi.json`: it knows the targets, and what can be said of each
 */
export function showYaml(gateways, api) {
  const described = api.paths['/render/{target}'];
  const content = contentOf('yaml');
  if (described === undefined || gateways.length === 0) {
    content.replaceChildren(note('', 'There is no gateway to be rendered.'));
    return;
  }
  if (content.querySelector('form')) return; // what was chosen stays
  const targets = described.parameters[0].schema.enum.map((name) => [name, titles[name] ?? name]);
  const gateway = select(gateways);
  const target = select(targets);
  const server = input({ type: 'url', value: location.origin, required: true });
  const options = described.get.parameters
    .filter(({ name }) => name !== 'gateway' && name !== 'server')
    .map(({ name, description }) => ({ name, description, control: input({}) }));
  const output = h('div', { 'aria-live': 'polite' });
  let asked = 0;
  const render = async () => {
    const mine = ++asked;
    const query = new URLSearchParams({ gateway: gateway.value, server: server.value });
    for (const { name, control } of options) if (control.value !== '') query.set(name, control.value);
    let shown;
    try {
      const text = await ask(`/render/${target.value}?${query}`, { as: 'text' });
      shown = copyable(`${gateway.value} for ${titles[target.value] ?? target.value}`, text);
    } catch (error) {
      shown = note('warn', error.message);
    }
    if (mine === asked) output.replaceChildren(shown);
  };
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault();
    void render();
  };
  const form = h(
    'form',
    { submit, change: () => void render() },
    h(
      'div.fields',
      {},
      field('Gateway', gateway),
      field('For', target),
      field('This server, as gateways reach it', server),
    ),
    h(
      'details',
      {},
      h('summary', {}, 'Options'),
      h(
        'div.body',
        {},
        h('div.fields', {}, ...options.map(({ name, description, control }) => field(name, control, description))),
      ),
    ),
  );
  content.replaceChildren(h('div.card', {}, h('div.body', {}, h('p'), form, output)));
  void render();
}
