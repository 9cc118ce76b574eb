import { $RefParser } from '@apidevtools/json-schema-ref-parser';
import { composeDocuments } from '../../../envoy/yaml/compose.ts';
import { mostLevels } from '../../../envoy/yaml/depth.ts';
import { furtherDocument } from '../../../envoy/yaml/document.ts';
import { type LeftOut, LeftOuts } from '../left-out.ts';

/** Any part of a description: its members are not known to be what OpenAPI says until they are looked at. */
export type Part = Readonly<Record<string, unknown>>;

/** An OpenAPI description, and what is noted of it on the way. */
export interface Description {
  readonly root: Part;
  /** Notes what cannot be said, once for a place and reason. */
  readonly leaveOut: (place: string, why: string) => void;
  readonly leftOut: () => readonly LeftOut[];
  /** What a part is, references of it followed; undefined, and noted, where one leads nowhere. */
  readonly follow: (value: unknown, place: string) => Part | undefined;
}

/** Bytes of a description. */
const mostBytes = 10 << 20;
/** References from one to the next. */
const mostHops = 20;

/**
 * Reads an OpenAPI 3.0 or 3.1 description, YAML or JSON. References into other files are not followed.
 * @throws Error that says what is wrong with it
 */
export async function readDescription(bytes: Uint8Array): Promise<Description> {
  if (bytes.length > mostBytes) throw new Error(`it has ${bytes.length} bytes; at most ${mostBytes} are read`);
  const root = valueOf(new TextDecoder().decode(bytes));
  if (!isPart(root)) throw new Error('expected an object with openapi and paths');
  const { openapi, swagger } = root;
  if (swagger !== undefined) throw new Error('is Swagger 2.0; convert it to OpenAPI 3.0 first');
  if (typeof openapi !== 'string' || !/^3\.[01]\./.test(openapi)) {
    throw new Error(
      `openapi: expected a version 3.0 or 3.1, found ${openapi === undefined ? 'nothing' : JSON.stringify(openapi)}`,
    );
  }
  const refs = await $RefParser.resolve(structuredClone(root), { resolve: { external: false } });
  const leftOuts = new LeftOuts();
  const leaveOut = (place: string, why: string): void => {
    leftOuts.add(place, why);
  };
  const follow = (value: unknown, place: string): Part | undefined => {
    let current = value;
    for (let hops = 0; isPart(current) && typeof current['$ref'] === 'string'; hops++) {
      const ref = current['$ref'];
      if (!ref.startsWith('#')) {
        leaveOut(place, `${ref} is in another file, which is not read: bundle the description into one file`);
        return undefined;
      }
      try {
        if (hops === mostHops) throw new Error('it goes in a circle');
        current = refs.get(ref);
      } catch (error) {
        leaveOut(place, `${ref} leads nowhere: ${(error as Error).message}`);
        return undefined;
      }
    }
    return isPart(current) ? current : undefined;
  };
  return { root, leaveOut, leftOut: () => leftOuts.all, follow };
}

/** @throws Error with the first thing that is wrong with it as YAML */
function valueOf(text: string): unknown {
  const documents = composeDocuments(text, { prettyErrors: false });
  if (documents === undefined) throw new Error(`is nested deeper than ${mostLevels} levels`);
  const [document, ...others] = documents;
  const [flaw] = document?.errors ?? [];
  if (flaw !== undefined) throw flaw;
  if (others.length > 0) throw new Error(furtherDocument);
  return document?.toJS({ maxAliasCount: 100 }) as unknown;
}

/** Whether a value is an object of the description, no list and no null. */
export function isPart(value: unknown): value is Part {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A member that is a text; undefined where it is absent or something else. */
export function textIn(part: Part, member: string): string | undefined {
  const value = part[member];
  return typeof value === 'string' ? value : undefined;
}

/** A member that is a list; an empty one where it is absent or something else. */
export function listIn(part: Part, member: string): readonly unknown[] {
  const value = part[member];
  return Array.isArray(value) ? value : [];
}
