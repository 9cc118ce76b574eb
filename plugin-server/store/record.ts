import * as z from 'zod';
import { checkAddress, type Address, type Artifact, type Facts } from '../artifact.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** One published version as it is on disk: what was found out about its bytes, which are at their digest. */
const recordSchema = z.object({
  format: z.literal(1),
  name: z.string(),
  version: z.string(),
  sha256,
  size: z.int().positive(),
  interface: z.object({
    abi: z.enum(['0.1.0', '0.2.0', '0.2.1']),
    imports: z.array(
      z.object({
        module: z.string(),
        name: z.string(),
        kind: z.enum(['function', 'table', 'memory', 'global', 'tag']),
        type: z.string().exactOptional(),
      }),
    ),
    exports: z.array(z.string()),
  }),
  provenance: z.object({ at: z.iso.datetime(), by: z.string().exactOptional(), source: z.string() }),
});

export function recordText({ name, version, sha256, bytes, interface: wanted, provenance }: Artifact): string {
  const record: z.infer<typeof recordSchema> = {
    format: 1,
    ...{ name, version, sha256, size: bytes.length },
    interface: { ...wanted, imports: [...wanted.imports], exports: [...wanted.exports] },
    provenance: { ...provenance, at: provenance.at.toISOString() },
  };
  return `${JSON.stringify(record)}\n`;
}

/** Throws where the text is no record, or one of another address: files can be damaged, or renamed by hand. */
export function parseRecord(text: string, address: Address): Facts & { readonly size: number } {
  const record = recordSchema.safeParse(parseJson(text));
  if (!record.success) throw new Error('its record is no record');
  const { data } = record;
  if (data.name !== address.name || data.version !== address.version) {
    throw new Error('its record is that of another version');
  }
  checkAddress(address);
  return { ...data, provenance: { ...data.provenance, at: new Date(data.provenance.at) } };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
