import { readFileSync } from 'node:fs';
import { type Examination, type SourceFile, examine } from '../../envoy/check/files.ts';
import type { ModuleFile } from '../../envoy/check/module.ts';

export const root = new URL('../../', import.meta.url);

/** A module that nobody runs: what is said of digests does not depend on the build. */
const module: ModuleFile = {
  file: 'build/plugin.wasm',
  bytes: new Uint8Array(0),
  digest: 'd1'.repeat(32),
  version: '0.1.0',
};

const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

/** What goes on two lines of its own in envoy.yaml for hostMode `hold`, and is another filter for `pair`. */
function asPair(hold: string): string {
  const [whole = '', filter = ''] =
    /^ {18}- name: sluice\n([^]*?)(?=^ {18}- name: envoy\.filters\.http\.router$)/m.exec(hold) ?? [];
  const alone = filter
    .replace(/^.*allow_on_headers_stop_iteration.*\n/m, '')
    .replace('hostMode: hold', 'hostMode: pair');
  const holder = alone
    .replace('root_id: sluice', 'root_id: sluice-holder')
    .replace('name: sluice', 'name: sluice-holder')
    .replace(/^ {28}endpoint[^]*/m, '                            hostMode: pair\n');
  const indent = ' '.repeat(18);
  return hold.replace(whole, () => `${indent}- name: sluice\n${alone}${indent}- name: sluice-holder\n${holder}`);
}

const withKey = (text: string): string =>
  text.replace(
    /^( *)hostMode: \w+$/m,
    (line, indent: string) => `${line}\n${indent}sessions: { keys: [{ id: 1, env: SLUICE_KEY_1 }] }`,
  );
const withDigest = (text: string): string => text.replace(/\b[0-9a-f]{64}\b|\bDIGEST\b/g, module.digest);

const envoy = withKey(withDigest(read('envoy/envoy.yaml')));

/** Configurations without a fault, with their session keys and the digest of the module above. */
export const bases = {
  hold: envoy,
  pair: asPair(envoy),
  'istio pair': withDigest(read('test/check/istio/pair.yaml')),
  'istio hold': withDigest(read('test/check/istio/hold.yaml')),
} as const;

export type Base = keyof typeof bases;

export function file(text: string | Uint8Array, name = 'file.yaml'): SourceFile {
  return { name, bytes: Buffer.from(text) };
}

export function examineText(text: string | Uint8Array): Examination['findings'] {
  return examine([file(text)], module).findings;
}
