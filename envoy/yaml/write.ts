import { Document, visit } from 'yaml';
import { plainScalar } from './scalar.ts';

/** YAML that Envoy reads back as the same value: a text that YAML 1.1 or C's notation takes for something else is quoted. */
export function envoyYaml(value: object): string {
  const document = new Document(value, { aliasDuplicateObjects: false, compat: 'yaml-1.1' });
  visit(document, {
    Scalar: (key, node) => {
      if (key === 'key' || typeof node.value !== 'string') return;
      if (plainScalar(node.value, node.value, 'envoy') !== node.value) node.type = 'QUOTE_DOUBLE';
    },
  });
  return document.toString({ lineWidth: 0 });
}

/** Whether Envoy's reader of YAML leaves the numbers of a value numbers: it makes texts of fractions and of what exceeds 32 bits. */
export function keepsNumbers(value: unknown): boolean {
  if (typeof value === 'number') return plainScalar(String(value), value, 'envoy') === value;
  return typeof value !== 'object' || value === null || Object.values(value).every((member) => keepsNumbers(member));
}
