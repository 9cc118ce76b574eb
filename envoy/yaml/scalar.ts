/** Who reads a document: Envoy and kubectl take plain scalars for what YAML 1.1 makes of them, everyone else for YAML 1.2's. */
export type Dialect = 'yaml 1.2' | 'envoy' | 'kubernetes';

/** A letter case that yaml-cpp knows: `no`, `No`, `NO`. */
const words: ReadonlyMap<string, boolean> = new Map(
  (
    [
      ['y', true],
      ['yes', true],
      ['on', true],
      ['true', true],
      ['n', false],
      ['no', false],
      ['off', false],
      ['false', false],
    ] as const
  ).flatMap(([word, value]) => [
    [word, value],
    [word.toUpperCase(), value],
    [word.charAt(0).toUpperCase() + word.slice(1), value],
  ]),
);

const nulls: readonly string[] = ['', '~', 'null', 'Null', 'NULL'];

/**
 * A plain scalar (one without quotes) as another reader than YAML 1.2's takes it. Envoy reads whole numbers in C's
 * notation and leaves those beyond 32 bits, and fractions, a text; a tag does not change that. (envoy:
 * common/protobuf/yaml_utility.cc, yaml-cpp: convert.h)
 * @param source as it is written
 * @param otherwise what YAML 1.2 reads
 */
export function plainScalar(source: string, otherwise: unknown, dialect: Dialect): unknown {
  if (dialect === 'yaml 1.2') return otherwise;
  const word = words.get(source);
  if (word !== undefined) return word;
  if (dialect === 'kubernetes') return /^[-+]?0[0-7]+$/.test(source) ? Number(wholeNumber(source)) : otherwise;
  if (nulls.includes(source)) return null;
  const number = wholeNumber(source);
  if (number === undefined) return source;
  const isSmall = number >= -(2n ** 31n) && number < 2n ** 31n;
  return isSmall ? Number(number) : String(number);
}

/** As C's strtoll reads it with base 0; undefined where that does not take all of it, or it has more than 64 bits. */
function wholeNumber(source: string): bigint | undefined {
  const [, sign, hex, octal, decimal] = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0([0-7]*)|([1-9][0-9]*))$/.exec(source) ?? [];
  if (sign === undefined || source.length > 80) return undefined;
  const text = hex !== undefined ? `0x${hex}` : octal !== undefined ? `0o${octal === '' ? '0' : octal}` : decimal;
  const number = BigInt(text ?? 0) * (sign === '-' ? -1n : 1n);
  return number >= -(2n ** 63n) && number < 2n ** 63n ? number : undefined;
}

/** Members of configurations that hold a text, whatever they are in. Envoy has no list of booleans, so elements do too. */
const texts = new Set(
  `name cluster cluster_name prefix prefix_rewrite path path_separated_prefix exact suffix contains regex authority header
  env id root_id vm_id endpoint hostMode root jwt subject issuer trustedHeader publicUrl resource log protocol type url
  uri host address key provider_name payload_in_metadata issuer stat_prefix alt_stat_name pluginName subset`.split(
    /\s+/,
  ),
);

/**
 * What is to be said of a plain scalar that stands for a text and is read as something else; undefined where it is read
 * as it looks.
 * @param member the name of what it is the value of; undefined for an element of a list
 */
export function misread(
  source: string,
  value: unknown,
  member: string | undefined,
  dialect: Dialect,
): string | undefined {
  if (dialect === 'yaml 1.2' || (member !== undefined && !texts.has(member))) return undefined;
  const isWord = typeof value === 'boolean' && !/^(?:true|false)$/i.test(source);
  const isOctal = typeof value === 'number' && /^[-+]?0\d/.test(source);
  if (!isWord && !isOctal) return undefined;
  const reader = dialect === 'envoy' ? 'Envoy reads' : 'a reader of YAML 1.1, such as kubectl, takes';
  return `is written ${source}, which ${reader} ${dialect === 'envoy' ? 'as' : 'for'} ${String(value)}: put it into quotes`;
}

/**
 * What is to be said of a number of a google.protobuf.Struct that Envoy makes a text of; undefined where it stays one. A
 * message of Envoy's own knows that a number is wanted, and takes the text for it.
 * @param otherwise what YAML 1.2 reads
 * @param value what Envoy reads
 */
export function lostNumber(source: string, otherwise: unknown, value: unknown): string | undefined {
  if (typeof otherwise !== 'number' || typeof value !== 'string') return undefined;
  return (
    `is written ${source}, which Envoy reads as the text "${value}": put it into quotes if a text is meant, and give the ` +
    'whole configuration as JSON in a google.protobuf.StringValue if it is a number'
  );
}
