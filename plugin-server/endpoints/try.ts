import * as z from 'zod';
import { type Answer, ask, statelessClaims, statelessHeaders } from '../../common/mcp-client.ts';
import { PluginServerError } from '../errors.ts';
import { failureText } from '../http/client.ts';
import type { Endpoint } from './file.ts';

/** Bytes of a request for a test call. */
export const tryLimit = 64 * 1024;
/** What one test call may take: ms, and bytes of its answer. */
const limits = { time: 15_000, bytes: 1 << 20 };
/** Test calls at a time. */
const mostAtATime = 4;

const header = z
  .string()
  .max(8192)
  .regex(/^[\x20-\x7E]*$/);

export const trySchema = z.discriminatedUnion('method', [
  z.strictObject({
    method: z.literal('tools/list'),
    endpoint: z.string().max(2048).optional(),
    authorization: header.optional(),
    cursor: z.string().max(16_384).optional(),
  }),
  z.strictObject({
    method: z.literal('tools/call'),
    endpoint: z.string().max(2048).optional(),
    authorization: header.optional(),
    tool: z.string().min(1).max(1024),
    arguments: z.record(z.string(), z.unknown()).default({}),
  }),
]);

export type Try = z.infer<typeof trySchema>;

/** What came of a test call. */
export interface Tried {
  readonly endpoint: string;
  readonly status: number;
  /** From the first byte that was sent to the answer. */
  readonly milliseconds: number;
  /** The JSON-RPC answer, as it came. */
  readonly answer?: unknown;
  /** Where that is none: how what came begins. */
  readonly text?: string;
}

/** Test calls, a few at a time. */
export class Tries {
  #underWay = 0;

  /**
   * Sends one request of revision 2026-07-28 to a gateway, as any MCP client does: the same rules, limits and credentials
   * apply as to every other call, and it leaves no session behind.
   * @throws PluginServerError `tries_under_way`, `try_unanswered`, `too_large`
   */
  async at({ url }: Endpoint, wish: Try): Promise<Tried> {
    if (this.#underWay >= mostAtATime) throw new PluginServerError('tries_under_way', mostAtATime);
    this.#underWay += 1;
    const began = performance.now();
    try {
      const answer = await ask({ url, headers: headersOf(wish) }, wish.method, paramsOf(wish), limits);
      return told(url, answer, Math.round(performance.now() - began));
    } catch (error) {
      if (error instanceof PluginServerError) throw error;
      const isLate = ['TimeoutError', 'AbortError'].includes((error as Error).name);
      throw new PluginServerError(
        'try_unanswered',
        url,
        isLate ? `${limits.time / 1000} s went by` : failureText(error),
      );
    } finally {
      this.#underWay -= 1;
    }
  }
}

function headersOf(wish: Try): Record<string, string> {
  const { method, authorization } = wish;
  return {
    ...(authorization !== undefined && { authorization }),
    ...statelessHeaders(method, method === 'tools/call' ? wish.tool : undefined),
  };
}

function paramsOf(wish: Try): object {
  const claims = { _meta: statelessClaims('sluice-plugin-server') };
  if (wish.method === 'tools/call') return { name: wish.tool, arguments: wish.arguments, ...claims };
  return { ...(wish.cursor !== undefined && { cursor: wish.cursor }), ...claims };
}

function told(endpoint: string, { status, message, text, isCut = false }: Answer, milliseconds: number): Tried {
  if (isCut) throw new PluginServerError('too_large', 'the answer to the test call', limits.bytes);
  return { endpoint, status, milliseconds, ...(message === undefined ? { text } : { answer: message }) };
}
