// The rules of CRDs (x-kubernetes-validations), with what Kubernetes adds to CEL:
// https://kubernetes.io/docs/reference/using-api/cel/
import { Environment } from '@marcbachmann/cel-js';

/** A URL as CEL has it. */
class CelUrl {
  readonly scheme: string;
  constructor(text: string) {
    this.scheme = new URL(text).protocol.slice(0, -1);
  }
}

const environment = new Environment({ homogeneousAggregateLiterals: false })
  .registerVariable('self', 'dyn')
  .registerType('URL', { ctor: CelUrl, fields: { scheme: 'string' } })
  .registerFunction('isURL(string): bool', (text: string) => URL.canParse(text))
  .registerFunction('url(string): URL', (text: string) => new CelUrl(text))
  .registerFunction('URL.getScheme(): string', (url: CelUrl) => url.scheme);

const parsed = new Map<string, (context: { self: unknown }) => unknown>();

/** Whether a value is as its rule says. @throws where the rule cannot be read, or asks for what is not there */
export function holds(rule: string, self: unknown): boolean {
  // The evaluator takes no `has` of a member of an element.
  const text = rule
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/\bhas\(([\w.]+\[\d+\])\.(\w+)\)/g, '("$2" in $1)');
  const evaluate = parsed.get(text) ?? environment.parse(text);
  parsed.set(text, evaluate);
  try {
    return evaluate({ self: celValue(self) }) === true;
  } catch (error) {
    throw new Error(`${text}: ${(error as Error).message}`, { cause: error });
  }
}

/** Words that CEL keeps for itself; members of these names are written with underscores. */
const reserved = ['namespace'];

function celValue(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(celValue);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => [
    reserved.includes(name) ? `__${name}__` : name,
    celValue(member),
  ]);
  return Object.fromEntries(members) as unknown;
}
