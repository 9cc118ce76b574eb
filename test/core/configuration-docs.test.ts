// What the documents say that a configuration may look like, the module has to accept.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { moduleServer, readServers } from '../../envoy/render/servers.ts';
import { instance } from './core.ts';
import { configured } from './gateway.ts';

const core = instance();

/** The configurations on a page; what is for Envoy itself is not among them. */
function examples(page: string): unknown[] {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8');
  return [...text.matchAll(/^```yaml\n(.*?)^```/gms)]
    .map(([, yaml]) => parse(yaml ?? '') as object)
    .filter((shown) => !('typed_config' in shown));
}

/** Names of the environment variables that a configuration asks for. */
function variables(configuration: unknown): string[] {
  const names: string[] = [];
  JSON.stringify(configuration, (key, value: unknown) => {
    if (key === 'env' && typeof value === 'string') names.push(value);
    return value;
  });
  return names;
}

const [whole, environment] = examples('configuration.md');

const shown: readonly (readonly [string, unknown])[] = [
  ['configuration.md', whole],
  ...['virtual-servers.md', 'authorization.md', 'audit.md', 'quotas.md', 'tools.md', 'credentials.md'].flatMap((page) =>
    examples(page).map((example) => [page, example] as const),
  ),
];

test.each(shown)('the configuration in %s is accepted', (_, configuration) => {
  const values = variables(configuration).map((name) => `${name}=${Buffer.alloc(32).toString('base64url')}`);
  const { servers } = readServers((configuration as { servers: unknown[] }).servers, { foreignClusters: true });
  const module = { ...(configuration as object), servers: servers.map((server) => moduleServer(server)) };
  const lines = configured(core, JSON.stringify(module), values);
  expect(lines[0], lines.join('\n')).toMatch(/^endpoint: /);
});

test('the variables that it names are those that the filter is let through', () => {
  const { environment_variables } = environment as { environment_variables: { host_env_keys: string[] } };
  expect(environment_variables.host_env_keys).toEqual(variables(whole));
});
