// docs/instances.md shows what a cluster needs: it is what the shipped clusters have.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { shippedTemplates } from '../../envoy/render/bootstrap.ts';

const page = readFileSync(new URL('../../docs/instances.md', import.meta.url), 'utf8');
const [members, sticky, resource] = [...page.matchAll(/^```yaml\n([^]*?)^```$/gm)].map(
  ([, text = '']) => parse(text) as Record<string, unknown>,
);

test('the members of a cluster are those of the shipped ones', () => {
  expect(Object.keys(members ?? {})).toEqual(['load_balancing_policy', 'typed_extension_protocol_options']);
  expect(shippedTemplates().cluster).toMatchObject(members ?? {});
});

test('an EnvoyFilter puts them into a cluster', () => {
  expect(resource).toMatchObject({ kind: 'EnvoyFilter', spec: { configPatches: [{ applyTo: 'CLUSTER' }] } });
});

test('the cookie of a balancer is named where the configuration has it', () => {
  expect(sticky).toMatchObject({ servers: [{ stickyCookie: expect.any(String) as string }] });
});
