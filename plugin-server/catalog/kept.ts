import * as z from 'zod';
import type { Catalog } from './catalog.ts';

/** Where a catalog came from. */
export type Origin = z.infer<typeof keptCatalogSchema>['cause'];

const endpointSchema = z.object({ address: z.string(), port: z.number(), weight: z.number().exactOptional() });

export const catalogSchema: z.ZodType<Catalog> = z.object({
  servers: z.array(
    z.looseObject({
      name: z.string(),
      prefix: z.string(),
      url: z.string().exactOptional(),
      endpoints: z.array(endpointSchema).exactOptional(),
      service: z.string().exactOptional(),
      path: z.string().exactOptional(),
      tls: z.boolean().exactOptional(),
    }),
  ),
  virtualServers: z.array(
    z.object({
      name: z.string(),
      tools: z.array(z.string()),
      prompts: z.array(z.string()).exactOptional(),
      events: z.array(z.string()).exactOptional(),
    }),
  ),
});

export const keptCatalogSchema = z.object({
  generation: z.int().positive(),
  /** The revision. */
  version: z.string(),
  /** As `editionOf`: the same while only endpoints come and go, which is no version of its own. */
  edition: z.string(),
  created: z.iso.datetime(),
  cause: z.enum(['put', 'files', 'nacos']),
  /** Who put it there. */
  by: z.string().exactOptional(),
  catalog: catalogSchema,
});

/** A version of a catalog, as it is kept. */
export type KeptCatalog = Readonly<z.infer<typeof keptCatalogSchema>>;
