import { createHash } from 'node:crypto';
import type { Report } from './finding.ts';
import type { SluiceFilter } from './gateway.ts';
import { ModuleThread } from './isolation.ts';
import type { Question } from './istio.ts';
import { Node } from '../yaml/node.ts';
import { parsePath } from '../yaml/place.ts';
import { checkPluginText } from './plugin.ts';
import { readLimited } from './read-file.ts';

/** The module that configurations are for. */
export interface ModuleFile {
  /** As it is to be called. */
  readonly file: string;
  readonly bytes: Uint8Array;
  /** SHA-256, hex. */
  readonly digest: string;
  /** Undefined: not known, and taken for the one that is meant. */
  readonly version: string | undefined;
}

/** @throws Error where it cannot be read */
export function readModule(path: string, file: string, version: string | undefined): ModuleFile {
  const bytes = readLimited(path);
  return { file, bytes, digest: sha256(bytes), version };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** `…/plugins/sluice/0.1.0/plugin.wasm` */
const versionInUrl = /\/plugins\/sluice\/([^/]+)\/plugin\.wasm$/;

/** Holds the digest that a configuration pins against the module that is here. */
export function checkDigest(sha256: Node, url: string | undefined, module: ModuleFile, report: Report): void {
  if (sha256.text === undefined || sha256.text === module.digest || !/^[0-9a-f]{64}$/.test(sha256.text)) return;
  const version = versionInUrl.exec(url ?? '')?.[1];
  if (module.version === undefined || module.version === version) {
    report('digest', sha256, `is not the digest of ${module.file}, which is ${module.digest}`);
    return;
  }
  const judge = `the plugin configuration was judged by ${module.file}; name the module with --module`;
  report('digest', sha256, `is another module's: ${judge}`, { severity: 'warning' });
}

/** The code that a filter would run, as far as it is here. */
export function codeOf({ config }: SluiceFilter, module: ModuleFile): Uint8Array {
  const local = config.get('vm_config', 'code', 'local');
  const inline = local.get('inline_bytes').text;
  if (inline !== undefined) return Buffer.from(inline, 'base64');
  const { text: filename } = local.get('filename');
  if (filename === undefined) return module.bytes;
  try {
    return readLimited(filename);
  } catch {
    return module.bytes; // the file is on the gateway
  }
}

/** Lets a module judge one configuration, as `askModule` does, on a thread of its own. */
export async function askModuleOnce(...[code, question, report]: Tail<Parameters<typeof askModule>>): Promise<void> {
  const thread = new ModuleThread();
  try {
    await askModule(thread, code, question, report);
  } finally {
    await thread.close();
  }
}

type Tail<T extends readonly unknown[]> = T extends [unknown, ...infer Rest] ? Rest : never;

/** Lets a module judge, and shows where in the file each of its problems is. */
export async function askModule(
  thread: ModuleThread,
  code: Uint8Array,
  { plugin: { root, text }, rootId, judged }: Pick<Question, 'plugin' | 'rootId' | 'judged'>,
  report: Report,
): Promise<void> {
  for (const { path, message, severity } of await checkPluginText(thread, code, text, { rootId })) {
    if (judged?.has(path) === true) continue;
    const steps = [...root.path, ...parsePath(path, root.value)];
    report('plugin', new Node(undefined, steps, root.document), message, { severity });
  }
}
