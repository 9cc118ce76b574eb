import * as z from 'zod';
import { PluginServerError } from '../errors.ts';
import { typeUrls } from './compile.ts';
import { KnownLists } from './known-lists.ts';

/** What one poll of Envoy's says: a DiscoveryRequest, without the 77 KB that list everything that was built into it. */
export interface Poll {
  readonly node: { readonly id: string; readonly cluster: string; readonly engine: string };
  /** The version that the node has applied; empty before the first. */
  readonly version: string;
  /** Sorted, each once; empty for clusters. */
  readonly names: readonly string[];
  /** Why the last answer was refused, where the node says so: Envoy does over gRPC, and not over REST. */
  readonly error: string | undefined;
}

export type PollKind = keyof typeof typeUrls;

/** Bytes of a poll. Envoy's have 77 KB, and more with the metadata of a node. */
export const pollLimit = 1024 * 1024;

const text = z.string().max(256);
const pollSchema = z.object({
  version_info: z.string().max(1024).default(''),
  node: z.object({
    id: text.min(1),
    cluster: text.min(1),
    user_agent_name: text.default('unknown'),
    user_agent_build_version: z
      .object({
        version: z
          .object({ major_number: z.int().default(0), minor_number: z.int().default(0), patch: z.int().default(0) })
          .optional(),
      })
      .optional(),
  }),
  resource_names: z.array(z.string().min(1).max(128)).max(16).default([]),
  type_url: text.default(''),
  error_detail: z.object({ message: z.string().default('') }).optional(),
});

/**
 * Reads polls. Nearly all of one is the list of what was built into that Envoy, which is the same for all Envoys of a
 * release: it is parsed once, and then compared. That takes a tenth of the time, and a fleet polls all at once after an
 * edit.
 */
export class PollReader {
  readonly #lists = new KnownLists();

  /**
   * Reads a poll as it arrives. Nothing of its body is kept when this is over: a poll may be kept waiting.
   * @throws PluginServerError `poll_invalid`, `too_large`
   */
  async read(kind: PollKind, body: AsyncIterable<Buffer>): Promise<Poll> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of body) {
      size += chunk.length;
      if (size > pollLimit) throw new PluginServerError('too_large', 'the poll', pollLimit);
      chunks.push(chunk);
    }
    const whole = Buffer.concat(chunks);
    const poll = parsePoll(kind, this.#lists.cutOut(whole));
    this.#lists.learn(whole);
    return poll;
  }
}

/** @throws PluginServerError `poll_invalid`, with the member that is wrong */
export function parsePoll(kind: PollKind, body: Buffer): Poll {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    throw new PluginServerError('poll_invalid', 'it is no JSON; a bootstrap has to say api_type: REST');
  }
  const { data, error } = pollSchema.safeParse(value);
  if (data === undefined) {
    const [issue] = error.issues;
    throw new PluginServerError('poll_invalid', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
  }
  const { node, type_url: type, error_detail: detail } = data;
  if (type !== '' && type !== typeUrls[kind]) {
    throw new PluginServerError('poll_invalid', `type_url: this path serves ${typeUrls[kind]}`);
  }
  const names = [...new Set(data.resource_names)].sort();
  if (kind === 'filters' && names.length === 0) {
    throw new PluginServerError('poll_invalid', 'resource_names: expected the names of filters');
  }
  const { major_number: major, minor_number: minor, patch } = node.user_agent_build_version?.version ?? {};
  const version = major === undefined ? '' : ` ${major}.${minor ?? 0}.${patch ?? 0}`;
  return {
    node: { id: node.id, cluster: node.cluster, engine: `${node.user_agent_name}${version}` },
    version: data.version_info,
    names: kind === 'clusters' ? [] : names,
    error: detail === undefined ? undefined : printable(detail.message),
  };
}

/** Characters of a node's own words that are kept. */
const longestError = 500;

/**
 * A node's words for an operator: bounded, on one line, and without what a configuration could have had of secrets.
 * Envoy quotes what it refuses.
 */
export function printable(message: string): string {
  return message
    .slice(0, 4 * longestError)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .replace(/\b(bearer|basic) +[\w.~+/=-]+/gi, '$1 …')
    .replace(
      /((?:authorization|token|secret|password|passwd|api[-_]?key|cookie)["']?\s*[:=]\s*)("[^"]*"?|'[^']*'?|[^\s,;}]+)/gi,
      '$1…',
    )
    .replace(/\/\/[^/\s@]+@/g, '//…@')
    .replace(/[A-Za-z0-9_+/=-]{32,}/g, '…')
    .slice(0, longestError);
}
