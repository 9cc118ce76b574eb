import { X509Certificate, createPrivateKey } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext } from 'node:tls';
import { pino } from 'pino';
import { workFolder } from '../../common/home.ts';
import { reachableOrigin } from '../../common/reachable.ts';
import { publicKey } from '../../common/signature.ts';
import { batched } from '../../plugin-server/access-log.ts';
import {
  ArtifactStore,
  CatalogDirectory,
  Catalogs,
  type Credentials,
  type Live,
  type Log,
  NacosSync,
  PeerSync,
  PluginServerError,
  type Publishing,
  Tokens,
  Trust,
  openLive,
  openStore,
  parseCredentials,
  startPluginServer,
} from '../../plugin-server/index.ts';
import type { Io } from '../io.ts';
import { credentialsIn } from '../nacos.ts';
import { ownEnvoys } from '../own-envoys.ts';
import { tokenVariable } from '../secret.ts';
import { trustedKeyFiles } from '../trusted-keys.ts';
import type { ServeOptions } from './options.ts';
import { ownBuild } from './own-build.ts';
import { type Renewed, renewed } from './renewed.ts';

export interface RunningServe {
  readonly url: string;
  readonly store: ArtifactStore;
  /** Reads certificates and tokens again. */
  readonly renew: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Things to end, the last one first. */
type Ending = () => Promise<void> | void;

/**
 * Opens the store and starts the server, as the options say. Leaves nothing running where it throws.
 * @param stop ends a start under way
 */
export async function runServer(options: ServeOptions, io: Io, stop: AbortSignal): Promise<RunningServe> {
  const endings: Ending[] = [];
  const close = async (): Promise<void> => {
    for (const end of endings.splice(0).toReversed()) await end();
  };
  try {
    return { ...(await run(options, io, endings, stop)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function run(
  options: ServeOptions,
  io: Io,
  endings: Ending[],
  stop: AbortSignal,
): Promise<Omit<RunningServe, 'close'>> {
  const log = jsonLog(io);
  const secrets: Renewed<unknown>[] = [];
  const watched = async <T>(files: string[], make: (texts: readonly string[]) => T): Promise<Renewed<T>> => {
    const secret = await renewed(files, make, log);
    endings.push(secret.close);
    secrets.push(secret);
    return secret;
  };

  const tokens = await tokensOf(options, io, watched);
  const trust = await trustOf(trustedKeyFiles(options.keys, io.env), watched);
  const running: { renewTls?: (pair: TlsPair) => void } = {};
  const tls =
    options.tls &&
    (await watched([options.tls.cert, options.tls.key], ([cert = '', key = '']) => {
      const pair = checkedTls({ cert, key }, options.tls?.cert ?? '');
      running.renewTls?.(pair);
      return pair;
    }));
  if (tokens !== undefined && tls === undefined && !isLoopback(options.listen.host)) {
    log.warn(
      'tokens travel in the clear: use --tls-cert and --tls-key, or put something that does TLS before this server',
    );
  }
  const { store, isWritable, problems } = await openData(options, {
    mayPublish: tokens !== undefined,
    trust,
    log,
    endings,
  });
  stop.throwIfAborted();
  const peers = options.peers.length > 0 ? new PeerSync({ store, peers: options.peers, log, trust }) : undefined;
  const access = accessLog(options, io, endings);
  const tokensRequired = !isLoopback(options.listen.host);
  const catalogs = await catalogsOf(options, io, { store, log, endings, watched, stop });
  stop.throwIfAborted();
  const live = await liveOf(options, { store, catalogs, publishers: tokens, log });
  if (live !== undefined) endings.push(() => live.close());
  stop.throwIfAborted();

  const server = await startPluginServer({
    ...options.listen,
    artifacts: store,
    publishing: publishingOf(options, tokens, isWritable),
    problems,
    trust,
    envoys: ownEnvoys(),
    log,
    ...(peers && { peers }),
    ...(live && { live }),
    ...(catalogs && { catalogs: { catalogs, access: { tokensRequired, publishers: tokens } } }),
    ...(tls && { tls: tls.value() }),
    ...(access && { accessLog: access }),
  });
  endings.push(server.close);
  running.renewTls = server.renewTls;
  if (peers !== undefined) {
    peers.start();
    endings.push(() => peers.stop());
  }
  const renew = async (): Promise<void> => {
    await Promise.all(secrets.map((secret) => secret.renew()));
  };
  return { url: reachableOrigin(server.url), store, renew };
}

interface DataSurroundings {
  readonly mayPublish: boolean;
  readonly trust: Trust;
  readonly log: Log;
  readonly endings: Ending[];
}

async function openData(
  { data, peers, keys }: ServeOptions,
  { mayPublish, trust, log, endings }: DataSurroundings,
): Promise<{ store: ArtifactStore; isWritable: boolean; problems: () => readonly string[] }> {
  if (data === undefined) {
    const store = new ArtifactStore(peers.length > 0 ? [] : [await ownBuild()]);
    return { store, isWritable: false, problems: () => [] };
  }
  // Keys of the machine are asked what comes in: a module out of a signed bundle has no signature of its own.
  const opened = await openStore(data, { log, ...(keys.length > 0 && { policy: trust }) });
  endings.push(opened.close);
  const { store } = opened;
  const isEmpty = store.count === 0 && store.damages.length === 0 && store.withheld.length === 0;
  // One that can be filled over HTTP, or from a peer, may begin empty; any other would serve nothing for ever.
  if (isEmpty && peers.length === 0 && !(mayPublish && opened.isWritable)) {
    throw new PluginServerError('data_empty', data);
  }
  return opened;
}

/** Milliseconds for which the start waits for Nacos: what was there the last time is given out meanwhile. */
const nacosPatience = 5_000;

interface CatalogSurroundings {
  readonly store: ArtifactStore;
  readonly log: Log;
  readonly endings: Ending[];
  readonly watched: Watch;
  readonly stop: AbortSignal;
}

/** Catalogs, and what keeps them up to date: a directory, Nacos, or whoever puts them there. */
async function catalogsOf(
  options: ServeOptions,
  io: Io,
  { store, log, endings, watched, stop }: CatalogSurroundings,
): Promise<Catalogs | undefined> {
  const { gateways, catalogs: directory, nacos } = options;
  if (gateways === undefined && directory === undefined && nacos === undefined) return undefined;
  const state = options.state ?? beside(options);
  const catalogs = new Catalogs({ state: join(state, '.catalogs'), store, log });
  await catalogs.open();
  if (nacos !== undefined) {
    const credentials = await nacosCredentials(nacos.credentialsFile, io, watched);
    const { addresses, namespaces } = nacos;
    const source = new NacosSync({ addresses, namespaces, catalogs, log, credentials });
    endings.push(() => source.stop());
    await Promise.race([source.start(), sleep(nacosPatience, undefined, { ref: false, signal: stop })]);
  }
  if (directory !== undefined) {
    const source = new CatalogDirectory({ directory, catalogs });
    endings.push(() => source.stop());
    await source.start();
  }
  return catalogs;
}

async function nacosCredentials(
  file: string | undefined,
  { env }: Io,
  watched: Watch,
): Promise<(() => Credentials) | undefined> {
  if (file !== undefined) return (await watched([file], ([text = '']) => parseCredentials(text, file))).value;
  const found = credentialsIn(env);
  return found && (() => found);
}

/** Where what is to outlive the server is kept, unless the options say otherwise. */
function beside({ data }: ServeOptions): string {
  return data ?? join(workFolder(), '.sluice');
}

interface LiveSurroundings {
  readonly store: ArtifactStore;
  readonly catalogs: Catalogs | undefined;
  readonly publishers: (() => Tokens) | undefined;
  readonly log: Log;
}

async function liveOf(
  options: ServeOptions,
  { store, catalogs, publishers, log }: LiveSurroundings,
): Promise<Live | undefined> {
  const { gateways, state, listen, tls } = options;
  if (gateways === undefined) return undefined;
  const tokensRequired = !isLoopback(listen.host);
  if (tokensRequired && tls === undefined && publishers === undefined) {
    log.warn(
      {},
      'tokens and modules travel in the clear: use --tls-cert and --tls-key, or TLS in front of this server',
    );
  }
  return openLive({
    gateways,
    state: state ?? join(beside(options), '.gateways'),
    store,
    catalogs,
    log,
    tokensRequired,
    publishers,
  });
}

type Watch = <T>(files: string[], make: (texts: readonly string[]) => T) => Promise<Renewed<T>>;

async function tokensOf({ tokenFile }: ServeOptions, io: Io, watched: Watch): Promise<(() => Tokens) | undefined> {
  if (tokenFile !== undefined) {
    return (await watched([tokenFile], ([text = '']) => Tokens.parse(text, tokenFile))).value;
  }
  const token = io.env[tokenVariable];
  if (token === undefined || token === '') return undefined;
  const tokens = Tokens.parse(token, tokenVariable);
  return () => tokens;
}

async function trustOf(files: readonly string[], watched: Watch): Promise<Trust> {
  if (files.length === 0) return new Trust();
  const keys = await watched([...files], (texts) =>
    texts.map((text, i) => {
      const file = files[i] ?? '';
      try {
        return publicKey(text, file);
      } catch (error) {
        throw new PluginServerError('secret_unusable', file, (error as Error).message.replace(`${file}: `, ''));
      }
    }),
  );
  return new Trust(keys.value);
}

function publishingOf({ data }: ServeOptions, tokens: (() => Tokens) | undefined, isWritable: boolean): Publishing {
  if (data === undefined) return { off: 'the server keeps nothing; start it with --data DIR' };
  if (!isWritable)
    return { off: 'the server may not write to the directory of --data; let its user do so, and start it again' };
  if (tokens === undefined)
    return { off: `the server has no token; start it with --token-file FILE or ${tokenVariable}` };
  return { tokens };
}

/** What only this machine reaches. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

function checkedTls(pair: TlsPair, file: string): TlsPair {
  try {
    // OpenSSL takes an empty certificate, and presents none then.
    const certificate = new X509Certificate(pair.cert);
    if (!certificate.checkPrivateKey(createPrivateKey(pair.key))) throw new Error('the key is not the certificate’s');
    createSecureContext(pair);
    return pair;
  } catch (error) {
    const reason = `certificate and key do not work together (${(error as Error).message})`;
    throw new PluginServerError('secret_unusable', file, reason);
  }
}

function accessLog({ accessLog }: ServeOptions, io: Io, endings: Ending[]): ((line: string) => void) | undefined {
  if (!(accessLog ?? !io.interactive)) return undefined;
  const batch = batched((text) => {
    io.err(text);
  });
  endings.push(batch.flush);
  return batch.line;
}

/** JSON lines on stderr, with levels and times that people can read too. */
function jsonLog(io: Io) {
  const options = {
    level: 'info',
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level: string) => ({ level }) },
    serializers: { err: pino.stdSerializers.err },
  };
  const write = (line: string): void => {
    io.err(line);
  };
  return pino(options, { write });
}
