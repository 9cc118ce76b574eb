import { describe, expect, test } from 'vitest';
import { type Resource, resourceFiles, resourcesOf, specOf } from './documents.ts';
import { errorsOf } from './schemas.ts';

describe('the resources of envoy/istio/', () => {
  const all = resourceFiles.flatMap((file) => resourcesOf(file).map((resource) => ({ file, ...resource })));

  test.each(all.map((resource) => [resource.file, resource.kind, resource.metadata.name, resource] as const))(
    '%s: %s %s is what Istio 1.30 knows, and nothing else',
    (_file, _kind, _name, resource) => {
      expect(errorsOf(resource)).toEqual([]);
      expect(Object.keys(resource).sort()).toEqual(['apiVersion', 'file', 'kind', 'metadata', 'spec']);
      expect(Object.keys(resource.metadata).sort()).toEqual(['name', 'namespace']);
    },
  );
});

/** The judge has to see what a CRD refuses, and what it would prune. */
describe('the judge', () => {
  const virtualService = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService' };
  const wasmPlugin = { apiVersion: 'extensions.istio.io/v1alpha1', kind: 'WasmPlugin' };
  const url = 'http://127.0.0.1/plugin.wasm';

  const refused: readonly (readonly [string, Pick<Resource, 'apiVersion' | 'kind' | 'spec'>, RegExp])[] = [
    ['an unknown field', { ...virtualService, spec: { hosts: ['a.b'], http: [{ nmae: 'x' }] } }, /nmae/],
    ['a wrong type', { ...virtualService, spec: { hosts: 'a.b' } }, /\/hosts must be array/],
    ['a timeout of nothing', { ...virtualService, spec: { http: [{ timeout: '0s' }] } }, /\/http\/0\/timeout/],
    ['a wrong digest', { ...wasmPlugin, spec: { url, sha256: 'F'.repeat(64) } }, /\/sha256 must match pattern/],
    ['an unknown phase', { ...wasmPlugin, spec: { url, phase: 'FIRST' } }, /\/phase must be equal to one of/],
    ['no URL', { ...wasmPlugin, spec: {} }, /required property 'url'/],
    [
      'a value beside valueFrom: HOST',
      { ...wasmPlugin, spec: { url, vmConfig: { env: [{ name: 'A', valueFrom: 'HOST', value: 'b' }] } } },
      /\/vmConfig\/env\/0/,
    ],
    ['another version', { ...virtualService, apiVersion: 'networking.istio.io/v2', spec: {} }, /apiVersion must be/],
  ];
  test.each(refused)('refuses %s', (_, resource, error) => {
    expect(errorsOf(resource).join('\n')).toMatch(error);
  });

  test('leaves the plugin configuration and the patches open', () => {
    expect(errorsOf({ ...wasmPlugin, spec: { url, pluginConfig: { anything: [1, { a: null }] } } })).toEqual([]);
    const spec = specOf('envoyfilter-hold.yaml', 'EnvoyFilter', 'sluice-hold');
    expect(errorsOf({ apiVersion: 'networking.istio.io/v1alpha3', kind: 'EnvoyFilter', spec })).toEqual([]);
  });
});
