import { resourcesOf } from '../../envoy/check/istio.ts';
import { readDocuments } from '../../envoy/yaml/document.ts';
import type { Node } from '../../envoy/yaml/node.ts';
import { readSource } from '../configuration-file.ts';
import { CommandError, exitCode } from '../io.ts';

/** A resource of Kubernetes, as far as every one of them is the same. */
export interface Resource {
  readonly kind: string;
  /** What `apiVersion` says before its version: `networking.higress.io`. */
  readonly group: string;
  readonly name: string;
  readonly namespace: string;
  readonly node: Node;
}

/** What files hold: resources of Kubernetes, and objects that are none. */
export interface Resources {
  readonly resources: readonly Resource[];
  readonly others: readonly Node[];
}

/** Lists of resources (`kind: List`) and several documents in a file are taken apart. */
const mostResources = 5_000;

/**
 * Reads files of YAML or JSON.
 * @throws CommandError: wrong use for a file that cannot be read, `found` for one that is no YAML
 */
export function readResources(files: readonly string[]): Resources {
  const resources: Resource[] = [];
  const others: Node[] = [];
  for (const file of files) {
    const { documents, flaws } = readDocuments(file, readSource(file).bytes);
    // A text that is read otherwise than it looks (`scalar`) is the reader's to judge: another product took it as it is.
    const broken = flaws.filter(({ path }) => path === undefined);
    if (broken.length > 0) {
      const lines = broken.map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`);
      throw new CommandError(`${file} cannot be read`, exitCode.found, lines);
    }
    for (const { root } of documents) {
      for (const node of resourcesOf(root)) {
        const resource = resourceOf(node);
        if (resource === undefined) others.push(node);
        else resources.push(resource);
        if (resources.length > mostResources)
          throw new CommandError(`more than ${mostResources} resources are read at a time`, exitCode.found);
      }
    }
  }
  return { resources, others };
}

function resourceOf(node: Node): Resource | undefined {
  const [kind, version] = [node.get('kind').text, node.get('apiVersion').text];
  if (kind === undefined || version === undefined) return undefined;
  const metadata = node.get('metadata');
  return {
    kind,
    group: version.includes('/') ? (version.split('/')[0] ?? '') : '',
    name: metadata.get('name').text ?? '',
    namespace: metadata.get('namespace').text ?? 'default',
    node,
  };
}
