import { parseHostPort } from '../upstream.ts';

interface Option {
  /** What stands behind it in a usage: `HOST:PORT`. */
  readonly form: string;
  readonly says: string;
  /** @returns what is wrong with it, for a sentence that begins with its name */
  readonly wrong: (value: string) => string | undefined;
}

const label = String.raw`[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?`;
const isLabel = new RegExp(`^${label}$`);
const isDomain = new RegExp(`^${label}(?:\\.${label})*$`);
/** A label of a Kubernetes object, key and value: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/ */
const isSelector = new RegExp(
  `^(?:${label}(?:\\.${label})*/)?[A-Za-z0-9](?:[-\\w.]{0,61}[A-Za-z0-9])?=[A-Za-z0-9](?:[-\\w.]{0,61}[A-Za-z0-9])?$`,
);
/** A reference of a container image, without what only a registry could judge. */
const isImage = /^[a-z0-9][\w.-]*(?::\d+)?(?:\/[a-z0-9][\w.-]*)*(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/;

function matches(pattern: RegExp, expected: string): Option['wrong'] {
  return (value) => (pattern.test(value) ? undefined : `takes ${expected}, not ${JSON.stringify(value.slice(0, 100))}`);
}

function isHostPort(value: string): string | undefined {
  try {
    parseHostPort(value);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** What can be said about the output, of one target or another. */
export const renderOptions = {
  listen: { form: 'HOST:PORT', says: 'where MCP is served', wrong: isHostPort },
  admin: { form: 'HOST:PORT', says: 'where Envoy shows its state', wrong: isHostPort },
  authorities: {
    form: 'FILE',
    says: 'the authorities that servers with https are trusted by, PEM, on the machine of the gateway',
    wrong: matches(/^\/[^\p{Cc}]{1,255}$/u, 'an absolute path'),
  },
  namespace: { form: 'NAME', says: 'where the resources are put', wrong: matches(isLabel, 'the name of a namespace') },
  selector: {
    form: 'KEY=VALUE',
    says: 'the label of the pods of the ingress gateway',
    wrong: matches(isSelector, 'a label like istio=ingressgateway'),
  },
  'cluster-domain': { form: 'NAME', says: 'what names of Services end with', wrong: matches(isDomain, 'a domain') },
  parent: { form: 'NAME', says: 'the Gateway that is there', wrong: matches(isDomain, 'the name of a Gateway') },
  release: {
    form: '1.9|1.10',
    says: 'the Envoy Gateway it is for',
    wrong: matches(/^1\.(?:9|10)$/, '1.9 or 1.10'),
  },
  image: { form: 'IMAGE', says: 'the Envoy that runs', wrong: matches(isImage, 'the name of an image') },
  replicas: { form: 'N', says: 'how many there are', wrong: matches(/^[1-9]\d{0,2}$/, 'a number from 1 to 999') },
} as const satisfies Record<string, Option>;

export type OptionName = keyof typeof renderOptions;

/** Every option of a target, as it was given or by default; no others. */
export type RenderOptions = Readonly<Record<OptionName, string>>;

export const optionNames = Object.keys(renderOptions) as OptionName[];
