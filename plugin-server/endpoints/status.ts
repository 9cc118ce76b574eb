import * as z from 'zod';
import { bodyOf, failureText, parseJson } from '../http/client.ts';
import type { Endpoint } from './file.ts';

/** Milliseconds that an Envoy has for its status, and bytes of it. */
const patience = 3_000;
const statusLimit = 4 << 20;

const text = z.string().max(4096);

/** What is told of `GET <endpoint>/-/status`, docs/metrics.md; what else it has is left out. */
const statusSchema = z.object({
  gateway: text,
  version: text,
  configuration: text,
  servers: z.array(
    z.object({
      name: text,
      state: text,
      lastFailure: z.object({ reason: text, detail: text, at: z.number() }).optional(),
    }),
  ),
  limits: z.array(z.object({ name: text, times: z.number(), at: z.number() })),
});

const refusalSchema = z.object({ error: z.object({ message: text }) });

/** One Envoy of a gateway: what it says of itself, or why that is not known. */
export type EndpointStatus =
  | { readonly url: string; readonly status: z.infer<typeof statusSchema> }
  | { readonly url: string; readonly problem: string };

/** Asks one endpoint for its status. Never rejects. */
export async function statusOf({ url, statusToken }: Endpoint): Promise<EndpointStatus> {
  try {
    const response = await fetch(`${url}/-/status`, {
      headers: statusToken === undefined ? {} : { authorization: `Bearer ${statusToken}` },
      redirect: 'manual',
      signal: AbortSignal.timeout(patience),
    });
    const value = parseJson((await bodyOf(response, statusLimit)).toString('utf8'));
    const { data } = statusSchema.safeParse(value);
    if (response.status === 200 && data !== undefined) return { url, status: data };
    return { url, problem: problemOf(response.status, value, statusToken) };
  } catch (error) {
    return { url, problem: `it cannot be reached: ${failureText(error)}` };
  }
}

function problemOf(status: number, value: unknown, statusToken: string | undefined): string {
  if (status === 401) {
    return statusToken === undefined
      ? 'its status needs a token: put it behind the URL in the file endpoints'
      : 'it refuses the status token of the file endpoints';
  }
  const said = refusalSchema.safeParse(value).data?.error.message;
  return said === undefined ? `HTTP ${status}, and no status of a gateway` : `HTTP ${status}: ${said}`;
}
