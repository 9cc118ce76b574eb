import { createHash } from 'node:crypto';
import { join } from 'node:path';
import * as z from 'zod';
import { catalogSchema } from '../catalog/kept.ts';
import { readRegularFile } from '../store/files.ts';
import { moduleLimit } from '../store/limits.ts';
import { keepWhole, namesIn, removeOld } from '../versions/history.ts';

/** Why there is a version: a new file or catalog, a module that came into the file's range, or a plugin server that compiles otherwise. */
export type Cause = z.infer<typeof keptSchema>['cause'];

const problemSchema = z.object({
  path: z.string(),
  message: z.string(),
  severity: z.enum(['error', 'warning']),
  line: z.int().exactOptional(),
  column: z.int().exactOptional(),
});

const resourceSchema = z.object({ name: z.string(), json: z.string() });

export const keptSchema = z.object({
  generation: z.int().positive(),
  /** The version of the filters, and in it that of the clusters: what Envoys report. */
  version: z.string(),
  created: z.iso.datetime(),
  cause: z.enum(['edit', 'catalog', 'module', 'server']),
  /** The file's text. */
  text: z.string(),
  /** What its catalogs added to it. */
  catalog: catalogSchema.exactOptional(),
  module: z.object({ name: z.string(), version: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  /** As they were given out, so that an Envoy that still has them can keep them for as long as it needs. */
  clusters: z.array(resourceSchema),
  /** What was found when it was judged, for as long as it is given out. */
  warnings: z.array(problemSchema).exactOptional(),
});

/** A version of a gateway's configuration, as it is kept. */
export type Kept = Readonly<z.infer<typeof keptSchema>>;

const modulesName = '.modules';

/** The modules that versions need, beside them: one of the store may go, and what was given out once can be given out again. */
export class KeptModules {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** A module by its digest; `undefined` where it is not there, or has become another. */
  async get(sha256: string): Promise<Uint8Array | undefined> {
    const bytes = await readRegularFile(join(this.#folder, moduleFile(sha256)), moduleLimit).catch(() => undefined);
    if (bytes === undefined) return undefined;
    return createHash('sha256').update(bytes).digest('hex') === sha256 ? bytes : undefined;
  }

  /** @throws PluginServerError `not_kept` */
  async add(sha256: string, module: Uint8Array): Promise<void> {
    if ((await this.get(sha256)) === undefined) await keepWhole(this.#folder, moduleFile(sha256), module);
  }

  /** Removes the modules that no version needs any more. */
  async removeOthers(needed: ReadonlySet<string>): Promise<void> {
    for (const name of await namesIn(join(this.#folder, modulesName))) {
      const [, sha256] = /^([0-9a-f]{64})\.wasm$/.exec(name) ?? [];
      if (sha256 !== undefined && !needed.has(sha256)) await removeOld(join(this.#folder, moduleFile(sha256)));
    }
  }
}

function moduleFile(sha256: string): string {
  return join(modulesName, `${sha256}.wasm`);
}
