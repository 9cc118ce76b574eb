import { join } from 'node:path';
import type { Catalog } from '../../plugin-server/catalog/catalog.ts';
import type { Values } from '../command.ts';
import { type NacosNamespaceName, parseNacosNamespace, parseNacosUrl } from '../nacos.ts';
import { type Migration, written } from './configuration.ts';
import { fromHigress } from './higress/read.ts';
import { judged } from './judged.ts';
import { fromKuadrant } from './kuadrant/read.ts';
import type { LeftOut } from './left-out.ts';
import { filesOf, fromNacos } from './nacos/export.ts';
import { type Definitions, fromOpenApi } from './openapi/tools.ts';

export const renderFlags = {
  from: { type: 'string' },
  name: { type: 'string' },
  url: { type: 'string' },
  'nacos-namespace': { type: 'string' },
  'nacos-credentials': { type: 'string' },
  into: { type: 'string' },
} as const;

type SourceName = 'openapi' | 'higress' | 'kuadrant' | 'nacos';

/** What is to be read. */
export interface Asked {
  readonly from: SourceName;
  /** Files; of Nacos, addresses. */
  readonly paths: readonly string[];
  readonly name: string | undefined;
  readonly url: string | undefined;
  readonly namespace: NacosNamespaceName;
  readonly credentialsFile: string | undefined;
  /** A directory for files, in place of an output. */
  readonly into: string | undefined;
}

/** What came of it. */
export interface Rendered {
  readonly event:
    | ({ readonly event: 'definitions' } & Definitions)
    | { readonly event: 'configuration'; readonly configuration: object }
    | { readonly event: 'catalog'; readonly catalog: Catalog };
  /** By their names, where it is taken apart. */
  readonly files: ReadonlyMap<string, object>;
  readonly leftOut: readonly LeftOut[];
}

interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly readFile: (path: string) => Uint8Array;
}

interface Source {
  /** How paths are called in a message, and whether several are taken. */
  readonly argument: 'FILE' | 'URL';
  readonly takesSeveral: boolean;
  /** Options that are for it. */
  readonly options: readonly (keyof typeof renderFlags)[];
  /** @throws CommandError; Error with `details` for what cannot be read as such */
  readonly render: (asked: Asked, around: Surroundings) => Promise<Rendered>;
}

const none: ReadonlyMap<string, object> = new Map();

export const sources: Readonly<Record<SourceName, Source>> = {
  openapi: {
    argument: 'FILE',
    takesSeveral: false,
    options: ['name', 'url'],
    render: async ({ paths: [file = ''], name, url }, { readFile }) => {
      const { definitions, leftOut } = await fromOpenApi(readFile(file), { name, url });
      return { event: { event: 'definitions', ...definitions }, files: none, leftOut };
    },
  },
  higress: {
    argument: 'FILE',
    takesSeveral: true,
    options: [],
    render: ({ paths }) => configurationOf(fromHigress(paths)),
  },
  kuadrant: {
    argument: 'FILE',
    takesSeveral: true,
    options: [],
    render: ({ paths }) => configurationOf(fromKuadrant(paths)),
  },
  nacos: {
    argument: 'URL',
    takesSeveral: true,
    options: ['nacos-namespace', 'nacos-credentials', 'into'],
    render: async ({ paths: addresses, namespace, credentialsFile }, { env }) => {
      const { catalog, leftOut } = await fromNacos({ addresses, namespace, credentialsFile }, env);
      const files = [...filesOf(catalog)].map(([name, content]) => [join(namespace.name, name), content] as const);
      return { event: { event: 'catalog', catalog }, files: new Map(files), leftOut };
    },
  },
};

export const sourceNames = Object.keys(sources).join(', ');

async function configurationOf(migration: Migration): Promise<Rendered> {
  const configuration = written(await judged(migration));
  return { event: { event: 'configuration', configuration }, files: none, leftOut: migration.leftOut.all };
}

/** Whether `--from` takes this name. */
export function isSource(name: string | undefined): name is SourceName {
  return name !== undefined && Object.hasOwn(sources, name);
}

/** @throws Error that names the option */
export function readAsked(from: SourceName, values: Values<typeof renderFlags>, paths: readonly string[]): Asked {
  const { argument, takesSeveral, options } = sources[from];
  const { name, url, into, 'nacos-namespace': namespace = 'public', 'nacos-credentials': credentialsFile } = values;
  for (const option of Object.keys(renderFlags) as (keyof typeof renderFlags)[]) {
    if (option === 'from' || values[option] === undefined || options.includes(option)) continue;
    throw new Error(`--${option} has no meaning with --from ${from}`);
  }
  if (paths.length === 0 || (paths.length > 1 && !takesSeveral)) {
    throw new Error(takesSeveral ? `name at least one ${argument}` : `name one ${argument}`);
  }
  if (name !== undefined && !/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(name))
    throw new Error(`--name: expected a-z, 0-9 and inner dashes, found ${name}`);
  if (url !== undefined && !/^https?:\/\/[^/?#{}]+(?:\/[^?#{}]*)?$/i.test(url))
    throw new Error(`--url: expected a URL like https://api.example.com/v1, found ${url}`);
  return {
    from,
    paths: argument === 'URL' ? paths.map((each) => parseNacosUrl(each, '--from nacos')) : paths,
    name,
    url,
    namespace: parseNacosNamespace(namespace),
    credentialsFile,
    into,
  };
}
