import { parseNacosNamespace, parseNacosUrl } from '../nacos.ts';
import type { Values } from '../command.ts';
import { parseOrigin } from '../remote.ts';

export const serveUsage = `usage: sluice serve [options]

Serves plugins over HTTP, so that Envoy and Istio can fetch them.

  --listen HOST:PORT   where to listen (default 127.0.0.1:8801; [::]:8801 for every address; port 0 for any free one)
  --data DIR           the store: what is published is kept here, and DIR/<name>/<version>/plugin.wasm is served too
                       (default: nothing is kept, and this clone's own build/plugin.wasm is served)
  --peer URL           fetch what another plugin server has and this one has not; may be repeated
  --gateways DIR       give Envoys their configuration, live, out of DIR/<node cluster>/sluice.yaml
  --catalogs DIR       tools for gateways, live, out of the files of DIR/<namespace>/
  --nacos URL          tools for gateways, live, out of Nacos 3; may be repeated for the addresses of one cluster
  --nacos-namespace NAME[=ID]
                       a namespace of Nacos (default: public), with the name that its catalog has here; may be repeated
  --nacos-credentials FILE
                       log in to Nacos as the file says: "<user name> <password>" (or SLUICE_NACOS_USERNAME and
                       SLUICE_NACOS_PASSWORD in the environment)
  --state DIR          where versions of gateways and catalogs are kept (default: .gateways and .catalogs in the
                       directory of --data, else in .sluice of this clone)
  --token-file FILE    allow publishing with the tokens in FILE, a line each: "<token>" or "<name> <token>"
                       (or one token in the environment variable SLUICE_PUBLISH_TOKEN)
  --key FILE           take in, and give out, only modules signed with this key, which is public, PEM, ECDSA P-256 or Ed25519;
                       may be repeated, and one of them has to fit (or files in SLUICE_TRUSTED_KEYS in the environment)
  --tls-cert FILE      serve HTTPS with this certificate chain and key, PEM; both are read again when they
  --tls-key FILE       change, and so are tokens and keys; SIGHUP does it at once
  --access-log on|off  a line of JSON on stderr for each request (default: on, but off on a terminal)
  --json               print one JSON object per line: ready, stopped, error
`;

export interface ServeOptions {
  readonly listen: { readonly host: string; readonly port: number };
  readonly data: string | undefined;
  /** Origins, like `http://plugins-0:8801`. */
  readonly peers: readonly string[];
  readonly gateways: string | undefined;
  readonly catalogs: string | undefined;
  readonly nacos: NacosOptions | undefined;
  /** Absent: as `data` says. */
  readonly state: string | undefined;
  readonly tokenFile: string | undefined;
  /** Files of public keys; where there are any, modules have to be signed. */
  readonly keys: readonly string[];
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** Absent: as the terminal says. */
  readonly accessLog: boolean | undefined;
}

interface NacosOptions {
  /** The addresses of one cluster. */
  readonly addresses: readonly string[];
  /** The id of each namespace, by its name here. */
  readonly namespaces: ReadonlyMap<string, string>;
  readonly credentialsFile: string | undefined;
}

export const serveFlags = {
  listen: { type: 'string', default: '127.0.0.1:8801' },
  data: { type: 'string' },
  peer: { type: 'string', multiple: true, default: [] as string[] },
  gateways: { type: 'string' },
  catalogs: { type: 'string' },
  nacos: { type: 'string', multiple: true, default: [] as string[] },
  'nacos-namespace': { type: 'string', multiple: true, default: [] as string[] },
  'nacos-credentials': { type: 'string' },
  state: { type: 'string' },
  'token-file': { type: 'string' },
  key: { type: 'string', multiple: true, default: [] as string[] },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  'access-log': { type: 'string' },
} as const;

/** @throws Error that names the option */
export function readServe(values: Values<typeof serveFlags>): ServeOptions {
  return {
    listen: parseListen(values.listen),
    data: values.data,
    peers: values.peer.map((url) => parseOrigin('--peer', url)),
    ...parseSources(values),
    tokenFile: values['token-file'],
    keys: values.key,
    tls: parseTls(values['tls-cert'], values['tls-key']),
    accessLog: parseSwitch('--access-log', values['access-log']),
  };
}

/** `HOST:PORT`; an IPv6 address stands in brackets, as in a URL. */
function parseListen(value: string): ServeOptions['listen'] {
  const [, bracketed, plain, digits] = /^(?:\[([^[\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(value) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || port > 65_535) {
    throw new Error(`--listen takes HOST:PORT, like 127.0.0.1:8801 or [::1]:8801, not ${JSON.stringify(value)}`);
  }
  return { host, port };
}

function parseSources(
  values: Values<typeof serveFlags>,
): Pick<ServeOptions, 'gateways' | 'catalogs' | 'nacos' | 'state'> {
  const { gateways, catalogs, state } = values;
  const nacos = parseNacos(values);
  if (state !== undefined && gateways === undefined && catalogs === undefined && nacos === undefined) {
    throw new Error('--state needs --gateways DIR, --catalogs DIR or --nacos URL');
  }
  return { gateways, catalogs, nacos, state };
}

function parseNacos(values: Values<typeof serveFlags>): NacosOptions | undefined {
  const { nacos, 'nacos-namespace': named, 'nacos-credentials': credentialsFile } = values;
  if (nacos.length === 0) {
    if (named.length > 0) throw new Error('--nacos-namespace needs --nacos URL');
    if (credentialsFile !== undefined) throw new Error('--nacos-credentials needs --nacos URL');
    return undefined;
  }
  const namespaces = new Map<string, string>();
  for (const text of named.length === 0 ? ['public'] : named) {
    const { name, id } = parseNacosNamespace(text);
    if (namespaces.has(name)) throw new Error(`--nacos-namespace names ${name} twice`);
    namespaces.set(name, id);
  }
  const addresses = nacos.flatMap((each) => each.split(',')).map((each) => parseNacosUrl(each));
  return { addresses, namespaces, credentialsFile };
}

function parseTls(cert: string | undefined, key: string | undefined): ServeOptions['tls'] {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) throw new Error('--tls-cert and --tls-key need each other');
  return { cert, key };
}

function parseSwitch(flag: string, value: string | undefined): boolean | undefined {
  if (value === undefined) return undefined;
  if (value !== 'on' && value !== 'off') throw new Error(`${flag} takes on or off, not ${JSON.stringify(value)}`);
  return value === 'on';
}
