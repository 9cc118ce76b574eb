import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { ownFile } from '../../../common/home.ts';

/** A Kubernetes object. */
export interface Resource<Spec = Record<string, unknown>> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels?: Record<string, string> };
  readonly spec: Spec;
}

/** The resources of a file that is shipped, which rendered ones are made after; it is there without a build. */
export function shippedResources<Spec>(
  file: `${string}.yaml`,
  folder: 'envoy/istio' | 'envoy/templates/istio',
): Resource<Spec>[] {
  const documents = parseAllDocuments(readFileSync(ownFile(folder, file), 'utf8'));
  return documents.map((document) => document.toJS() as Resource<Spec>);
}
