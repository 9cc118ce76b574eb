import { createHash } from 'node:crypto';
import type { ProbeRequest } from './cases.ts';
import type { Received } from './client.ts';
import type { Arrival } from './upstream.ts';

/** Left out: what differs from run to run, and what carries the case itself. */
const volatile = new Set([
  ...['date', 'server', 'x-envoy-upstream-service-time', 'x-request-id', 'x-forwarded-proto', 'x-forwarded-for'],
  ...['x-envoy-expected-rq-timeout-ms', 'x-envoy-internal', 'x-case', 'x-probe', 'trailer', 'host', ':authority'],
  ...['connection', 'keep-alive', 'transfer-encoding', ':status', ':method', ':path', ':scheme'],
]);

/** Of a request, besides: how its body was framed is the shape's, unless the case asks. */
const framing = new Set(['content-length']);

/** Longer bodies are told by their size and digest. */
const SHOWN = 100;

/** What both ends saw of one request, as it stands in a block of `outcome`. */
export function describeOutcome(received: Received, arrivals: readonly Arrival[], request: ProbeRequest): string {
  // Requests of one case reach their servers in any order: connections are new or not.
  const requests = arrivals.map((arrival) => upstreamLines(arrival, request.shows).join('\n')).toSorted();
  return [...clientLines(received), ...requests].join('\n');
}

function clientLines({ status, headers, trailers, body, end, code }: Received): string[] {
  const closes = headers['connection'] === 'close' && end === 'whole' ? ', connection: close' : '';
  const reset = code === undefined ? '' : `, RST_STREAM ${code}`;
  return [
    `client ${status ?? 'nothing'} ${end}${closes}${reset}`,
    ...fields(headers, (name) => !volatile.has(name)),
    ...shownBody(body),
    ...fields(trailers, () => true, 'trailer '),
  ];
}

function upstreamLines(arrival: Arrival, shows: readonly string[]): string[] {
  const { server, method, path, headers, body, trailers, state } = arrival;
  return [
    `${server} ${method} ${path} ${state}`,
    ...fields(headers, (name) => shows.includes(name) || (!volatile.has(name) && !framing.has(name))),
    ...(state === 'cut' && body.length > SHOWN ? [] : shownBody(body)),
    ...fields(trailers, () => true, 'trailer '),
  ];
}

function fields(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  wanted: (name: string) => boolean,
  prefix = '',
): string[] {
  return Object.entries(headers)
    .filter(([name]) => wanted(name))
    .map(([name, value]) => `  ${prefix}${name}: ${String(value)}`.trimEnd());
}

function shownBody(body: Buffer): string[] {
  if (body.length === 0) return [];
  if (body.length <= SHOWN) return [`  ${JSON.stringify(body.toString('latin1'))}`];
  return [`  {${body.length} bytes, sha256 ${createHash('sha256').update(body).digest('hex').slice(0, 12)}}`];
}
