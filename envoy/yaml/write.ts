import { Document, visit } from 'yaml';
import { plainScalar } from './scalar.ts';

const structType = 'type.googleapis.com/google.protobuf.Struct';
const stringType = 'type.googleapis.com/google.protobuf.StringValue';

/** YAML that Envoy reads back as the same value: a text that YAML 1.1 or C's notation takes for something else is quoted. */
export function envoyYaml(value: object): string {
  const document = new Document(withExactNumbers(value), { aliasDuplicateObjects: false, compat: 'yaml-1.1' });
  visit(document, {
    Scalar: (key, node) => {
      if (key === 'key' || typeof node.value !== 'string') return;
      if (plainScalar(node.value, node.value, 'envoy') !== node.value) node.type = 'QUOTE_DOUBLE';
    },
  });
  return document.toString({ lineWidth: 0 });
}

/**
 * Envoy's YAML makes texts of fractions, and of whole numbers beyond 32 bits. A message knows what it wants, a Struct does not:
 * one with such a number becomes a text of JSON, which the module reads as well.
 */
function withExactNumbers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withExactNumbers);
  if (typeof value !== 'object' || value === null) return value;
  const { '@type': type, value: struct, ...others } = value as Record<string, unknown>;
  if (type === structType && hasMisreadNumber(struct)) {
    return { '@type': stringType, value: JSON.stringify(struct), ...others };
  }
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withExactNumbers(member)]));
}

function hasMisreadNumber(value: unknown): boolean {
  if (typeof value === 'number') return typeof plainScalar(String(value), value, 'envoy') !== 'number';
  return typeof value === 'object' && value !== null && Object.values(value).some(hasMisreadNumber);
}
