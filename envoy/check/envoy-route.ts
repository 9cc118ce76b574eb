import type { Node } from '../yaml/node.ts';
import { type Expected, type HeaderCondition, type Route, literalOf, takesPath } from './route.ts';

const actions = [
  ['route', 'forward'],
  ['direct_response', 'direct'],
  ['redirect', 'redirect'],
] as const;

/** Reads a route of a virtual host (config.route.v3.Route). */
export function envoyRoute(node: Node): Route {
  const match = node.get('match');
  const expected = pathOf(match);
  return {
    node,
    action: actions.find(([member]) => node.get(member).isThere)?.[1] ?? 'other',
    headers: match.get('headers').items.map(headerOf),
    conditional: ['query_parameters', 'runtime_fraction', 'grpc', 'tls_context', 'dynamic_metadata', 'cookies'].some(
      (name) => match.get(name).isThere,
    ),
    literal: literalOf(expected),
    ignoresCase: expected.ignoreCase === true,
    takes: (path) => (match.isThere ? takesPath(expected, path) : 'maybe'),
    clusters: clustersOf(node.get('route')),
  };
}

function pathOf(match: Node): Expected {
  const [exact, prefix, segments] = ['path', 'prefix', 'path_separated_prefix'].map((name) => match.get(name).text);
  const regex = match.get('safe_regex', 'regex').text;
  return {
    ...(exact !== undefined && { exact }),
    ...(prefix !== undefined && { prefix }),
    ...(segments !== undefined && { segments }),
    ...(regex !== undefined && { regex }),
    ignoreCase: match.get('case_sensitive').value === false,
  };
}

function headerOf(node: Node): HeaderCondition {
  const present = node.get('present_match');
  const inverted = node.get('invert_match').isTrue;
  const empty = node.get('treat_missing_header_as_empty').isTrue;
  const exact = node.get('string_match', 'exact').text ?? node.get('exact_match').text;
  return {
    name: (node.get('name').text ?? '').toLowerCase(),
    exact: inverted || empty ? undefined : exact,
    fitsWithout: empty || (present.isThere ? present.isTrue === inverted : inverted),
    node,
  };
}

function clustersOf(action: Node): Node[] {
  const weighted = action.get('weighted_clusters', 'clusters').items.map((cluster) => cluster.get('name'));
  return [action.get('cluster'), ...weighted].filter((cluster) => cluster.text !== undefined);
}
