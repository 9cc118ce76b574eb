import type { Node } from '../../../envoy/yaml/node.ts';
import { type LeftOuts } from '../left-out.ts';
import type { Resource } from '../resources.ts';

/** Where an HTTPRoute leads. */
export interface Target {
  /** `http://weather.tools.svc.cluster.local:8080` */
  readonly origin: string;
  /** What the server is called in `Host`; undefined: as its origin says. */
  readonly authority: string | undefined;
  /** How long a call may take, `30s`. */
  readonly callTimeout: string | undefined;
}

/** Services of type ExternalName by `<namespace>/<name>`: the host that they stand for. */
export type ExternalNames = ReadonlyMap<string, string>;

/** Hosts of Services that are names of others (`spec.externalName`), by `<namespace>/<name>`. */
export function externalNamesOf(services: readonly Resource[]): ExternalNames {
  return new Map(
    services.flatMap(({ node, namespace, name }) => {
      const host = node.get('spec', 'externalName').text;
      return host === undefined ? [] : [[`${namespace}/${name}`, host] as const];
    }),
  );
}

/** The one backend of an HTTPRoute; undefined, and noted, where it has none that can be reached. */
export function targetOf(route: Resource, external: ExternalNames, leftOut: LeftOuts): Target | undefined {
  const spec = route.node.get('spec');
  const [rule, ...otherRules] = spec.get('rules').items;
  for (const other of otherRules) leftOut.at(other, 'of several rules the first is taken');
  const [backend, ...others] = rule?.get('backendRefs').items ?? [];
  if (rule === undefined || backend === undefined) {
    leftOut.at(spec, 'it has no backendRef: nothing says where the server is');
    return undefined;
  }
  for (const other of others) leftOut.at(other, 'of several backends the first is taken');
  const origin = originOf(backend, route.namespace, external, leftOut);
  if (origin === undefined) return undefined;
  return { origin, authority: authorityOf(rule, spec, leftOut), callTimeout: timeoutOf(rule, leftOut) };
}

function originOf(backend: Node, own: string, external: ExternalNames, leftOut: LeftOuts): string | undefined {
  const kind = backend.get('kind').text ?? 'Service';
  const name = backend.get('name').text ?? '';
  const port = backend.get('port').amount;
  const namespace = backend.get('namespace').text ?? own;
  if (kind !== 'Service' && kind !== 'Hostname') {
    leftOut.at(backend, `a backend of kind ${kind} is not known here`);
    return undefined;
  }
  const host =
    kind === 'Hostname' ? name : (external.get(`${namespace}/${name}`) ?? `${name}.${namespace}.svc.cluster.local`);
  const origin = `${port === 443 ? 'https' : 'http'}://${host}${port === undefined ? '' : `:${port}`}`;
  if (name === '' || !URL.canParse(origin)) {
    leftOut.at(backend, 'it does not say where the server is');
    return undefined;
  }
  return origin;
}

const notNeeded = ['URLRewrite'];

/** The host that the route writes, else the one that it is for: calls had that in `Host`. */
function authorityOf(rule: Node, spec: Node, leftOut: LeftOuts): string | undefined {
  let rewritten: string | undefined;
  for (const filter of rule.get('filters').items) {
    const type = filter.get('type').text ?? '';
    rewritten ??= filter.get('urlRewrite', 'hostname').text;
    if (filter.get('urlRewrite', 'path').isThere) leftOut.at(filter, 'the path of a server is that of its url here');
    if (!notNeeded.includes(type)) leftOut.at(filter, `a filter of type ${type} belongs to the route in Envoy`);
  }
  if (rewritten !== undefined) return rewritten;
  const [hostname] = spec.get('hostnames').items;
  return hostname?.text?.startsWith('*') === true ? undefined : hostname?.text;
}

/** A duration of the Gateway API (GEP-2257) that is one number and one unit is the same here. */
function timeoutOf(rule: Node, leftOut: LeftOuts): string | undefined {
  const timeout = rule.get('timeouts', 'request');
  if (timeout.text === undefined) return undefined;
  const parts = [...timeout.text.matchAll(/(\d{1,5})(ms|h|m|s)/g)];
  const milliseconds = parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ''] ?? 0), 0);
  if (milliseconds === 0 || parts.map(([whole]) => whole).join('') !== timeout.text) {
    leftOut.at(timeout, 'a call without an end is not there: callTimeout is 600s');
    return undefined;
  }
  return milliseconds % 1000 === 0 ? `${milliseconds / 1000}s` : `${milliseconds}ms`;
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
