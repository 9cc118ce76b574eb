// The module as filters: the one place that knows how many there are in a host mode, and what each of them is told.

/** The filter that decides; its name is its root id, which tells the module its part. */
export const deciderName = 'sluice';
/** The second filter of host mode `pair`, which holds headers back until the first has decided. */
export const holderName = 'sluice-holder';

/** The filters of each host mode, by name and in their order. */
export const filterNames = { hold: [deciderName], pair: [deciderName, holderName] } as const;

/** A filter of the module, and the plugin configuration that it is given. */
export interface ModulePart {
  /** The filter's name and root id. */
  readonly name: string;
  readonly configuration: Readonly<Record<string, unknown>>;
}

/** The `config` of Envoy's wasm filter, as far as it differs from one filter of the module to another. */
export interface WasmPlugin {
  name: string;
  root_id: string;
  allow_on_headers_stop_iteration?: boolean;
  vm_config: object;
  configuration: object;
}

/**
 * The filters that a plugin configuration asks for: one, and in host mode `pair` two. Both of a pair have to be in one
 * VM, so all that names a VM (code, environment, id) has to be equal in them.
 */
export function partsOf(configuration: Readonly<Record<string, unknown>>): [ModulePart, ...ModulePart[]] {
  const decider = { name: deciderName, configuration };
  const { endpoint, hostMode, log } = configuration;
  if (hostMode !== 'pair') return [decider];
  // What else the gateway is, is the first one's business.
  const shared = Object.entries({ endpoint, hostMode, log }).filter(([, member]) => member !== undefined);
  return [decider, { name: holderName, configuration: Object.fromEntries(shared) }];
}

/**
 * The wasm filters of these parts, made after `template`.
 * @param encode the plugin configuration as a message that Envoy passes on, with its `@type`
 */
export function wasmPlugins<Template extends WasmPlugin>(
  template: Template,
  configuration: Readonly<Record<string, unknown>>,
  encode: (configuration: Readonly<Record<string, unknown>>) => Template['configuration'],
): [Template, ...Template[]] {
  const [decider, ...others] = partsOf(configuration);
  const made = ({ name, configuration: told }: ModulePart): Template => {
    const plugin = { ...template, name, root_id: name, configuration: encode(told) };
    // Only a filter that is alone holds headers back while it reads the body.
    if (configuration['hostMode'] === 'pair') delete plugin.allow_on_headers_stop_iteration;
    return plugin;
  };
  return [made(decider), ...others.map(made)];
}
