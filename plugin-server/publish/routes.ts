import type { FastifyReply } from 'fastify';
import { type Address, addressText, checkAddress, verifyArtifact } from '../artifact.ts';
import { PluginServerError } from '../errors.ts';
import { envoyRefusal } from '../../proxy-wasm/interface.ts';
import { metadata } from '../metadata.ts';
import { signed } from '../signed.ts';
import type { Metrics } from '../metrics.ts';
import type { Handler, PathRequest } from '../http/route.ts';
import type { ArtifactStore, Outcome } from '../store/artifact-store.ts';
import { signatureLimit } from '../../common/signature.ts';
import { moduleLimit } from '../store/limits.ts';
import { checkDigests } from './digest-header.ts';
import type { Tokens } from './tokens.ts';
import { type Trust, signatureHeader } from './trust.ts';
import { unwrap } from './unwrap.ts';
import { type UploadLimits, Uploads, checkUploadType } from './upload.ts';

/** Who may publish, or why nobody may. */
export type Publishing = { readonly tokens: () => Tokens } | { readonly off: string };

export interface PublishSurroundings {
  readonly store: ArtifactStore;
  readonly publishing: Publishing;
  readonly metrics: Metrics;
  readonly trust: Trust;
  /** Bytes of a module; for tests. */
  readonly limit?: number;
  /** Limits of uploads; for tests. */
  readonly uploads?: Partial<UploadLimits>;
}

/** Registers its metric, and makes the handlers of `PUT …/plugin.wasm` and `PUT …/plugin.wasm.sig`. */
export function publishHandlers(surroundings: PublishSurroundings): { module: Handler; signature: Handler } {
  const { store, publishing, metrics, trust, limit = moduleLimit } = surroundings;
  const counted = countedBy(metrics);
  const uploads = new Uploads({
    perPublisher: 4,
    worked: 4,
    heldBytes: 4 * limit,
    silence: 15_000,
    ...surroundings.uploads,
  });

  /** Every refusal that can be told without the body is told before it is read. */
  const receive = (
    request: PathRequest,
    reply: FastifyReply,
    most: number,
    take: (content: Buffer, address: Address, publisher: string) => Promise<Outcome>,
  ): Promise<FastifyReply> =>
    counted(async () => {
      const publisher = authorize(request, reply, publishing);
      const address = { name: request.params.name, version: request.params.version };
      checkAddress(address);
      checkUploadType(request);
      const outcome = await uploads.run(publisher, { request, reply, limit: most }, (content) => {
        checkDigests(request.headers, content);
        return take(content, address, publisher);
      });
      const artifact = store.get(address.name, address.version);
      request.log.info({ publisher, sha256: artifact.sha256 }, `${addressText(address)}: ${request.url} ${outcome}`);
      reply
        .code(outcome === 'created' ? 201 : 200)
        .headers({ location: request.url.split('?', 1)[0], etag: artifact.etag });
      await reply.header('cache-control', 'no-store').send(metadata(artifact, signed(store, trust, artifact)));
      return [reply, outcome];
    });

  return {
    module: (request, reply) =>
      receive(request, reply, limit, async (content, address, by) => {
        const { bytes, wrappings } = await unwrap(content, limit, addressText(address));
        const source = ['upload', ...wrappings].join(' of ');
        const artifact = await verifyArtifact(address, bytes, { at: new Date(), by, source });
        const refusal = isStrict(request.query) ? envoyRefusal(bytes) : undefined;
        if (refusal !== undefined) throw new PluginServerError('not_for_envoy', addressText(address), refusal);
        const signature = signatureIn(request);
        trust.check(address, bytes, signature);
        return store.publish(artifact, signature);
      }),
    signature: (request, reply) =>
      receive(request, reply, signatureLimit, (content, { name, version }) => {
        if (content.length === 0) throw new PluginServerError('bad_request', 'a signature has at least one byte');
        // Also of one that is not given out as long as it has none.
        const artifact = store.held({ name, version }) ?? store.get(name, version);
        trust.check(artifact, artifact.bytes, content);
        return store.sign(artifact, content);
      }),
  };
}

/** Counts publications by how they end. */
function countedBy(metrics: Metrics): <T>(publish: () => Promise<[T, Outcome]>) => Promise<T> {
  const publishes = metrics.counter('sluice_publishes_total', 'Publications by outcome', ['result']);
  return async (publish) => {
    try {
      const [answer, outcome] = await publish();
      publishes.inc({ result: outcome });
      return answer;
    } catch (error) {
      publishes.inc({ result: error instanceof PluginServerError ? error.code : 'internal' });
      throw error;
    }
  };
}

/** Returns the publisher's name. Throws `publishing_off`, or `unauthorized` with the challenge of RFC 6750 §3. */
function authorize(request: PathRequest, reply: FastifyReply, publishing: Publishing): string {
  if ('off' in publishing) throw new PluginServerError('publishing_off', publishing.off);
  const { authorization } = request.headers;
  const publisher = publishing.tokens().nameOf(authorization);
  if (publisher !== undefined) return publisher;
  const error = authorization === undefined ? '' : ', error="invalid_token"';
  reply.header('www-authenticate', `Bearer realm="sluice"${error}`);
  throw new PluginServerError('unauthorized');
}

/** Throws `bad_request` for a header that is no base64. */
function signatureIn({ headers }: PathRequest): Buffer | undefined {
  const text = headers[signatureHeader];
  if (text === undefined) return undefined;
  if (typeof text !== 'string' || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) {
    throw new PluginServerError('bad_request', `the header ${signatureHeader} takes a signature in base64`);
  }
  return Buffer.from(text, 'base64');
}

/** `?strict`, `?strict=true`; `?strict=false` is not. */
function isStrict(query: unknown): boolean {
  const { strict } = query as { strict?: unknown };
  return strict !== undefined && strict !== 'false';
}
