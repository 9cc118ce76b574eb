import type { FastifyInstance } from 'fastify';
import type { Artifact } from '../artifact.ts';
import { addressText, filePath } from '../artifact.ts';
import { isVersion } from '../../common/version.ts';
import { PluginServerError } from '../errors.ts';
import { type FormName, Forms, formTypes } from './forms.ts';
import { checksumLine, metadata, metadataText } from '../metadata.ts';
import type { publishHandlers } from '../publish/routes.ts';
import type { Trust } from '../publish/trust.ts';
import { signed } from '../signed.ts';
import type { ArtifactStore } from '../store/artifact-store.ts';
import { listingRoutes } from './listings.ts';
import { type Handler, type PathRequest, serve } from '../http/route.ts';
import { sendContent, sendText, volatile } from '../http/send.ts';
import type { FastifyReply } from 'fastify';

type Answer = (artifact: Artifact, request: PathRequest, reply: FastifyReply) => unknown;

/** The artifacts under /plugins: the modules, what describes each of them, and the listings. */
export function pluginRoutes(
  app: FastifyInstance,
  store: ArtifactStore,
  trust: Trust,
  put: ReturnType<typeof publishHandlers>,
): void {
  listingRoutes(app, store, trust);
  const forms = new Forms();

  /** Serves a file of a version; where a range stands instead, leads to the newest version in it. */
  const file = (name: string, answer: Answer, put?: Handler): void => {
    const read: Handler = (request, reply) => {
      const { params } = request;
      if (isVersion(params.version)) return answer(store.get(params.name, params.version), request, reply);
      const newest = store.newest(params.name, params.version);
      return reply.header('cache-control', volatile).redirect(filePath(newest, name), 307);
    };
    serve(app, `/plugins/:name/:version/${name}`, put === undefined ? { read } : { read, put });
  };

  file('plugin.wasm', sendModule, put.module);
  file('plugin.wasm.sha256', (artifact, _request, reply) => sendText(checksumLine(artifact), reply));
  file('plugin.wasm.sig', sendSignature(store), put.signature);
  file('metadata.txt', (artifact, _request, reply) => sendText(metadataText(artifact), reply));
  file('metadata.json', (artifact, _request, reply) => {
    // Not for ever: a signature may come, and a later release may know another host.
    return reply.header('cache-control', volatile).send(metadata(artifact, signed(store, trust, artifact)));
  });
  for (const form of Object.keys(formTypes) as FormName[]) {
    file(form, async (artifact, request, reply) => sendContent(await forms.get(artifact, form), request, reply));
  }
}

function sendModule(artifact: Artifact, request: PathRequest, reply: FastifyReply): FastifyReply {
  const { bytes, etag, reprDigest } = artifact;
  return sendContent({ bytes, etag, reprDigest, type: 'application/wasm' }, request, reply);
}

function sendSignature(store: ArtifactStore): Answer {
  return (artifact, _request, reply) => {
    const signature = store.signature(artifact);
    if (signature === undefined) throw new PluginServerError('unsigned', addressText(artifact));
    return reply.headers({ 'cache-control': volatile }).type('application/octet-stream').send(signature);
  };
}
