// Clients that call tools without a pause, and read event streams to their ends: what an edit may not disturb.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, type Scripted, startScripted } from '../e2e/upstreams/scripted.ts';
import { callMessage, mcpHeaders, openSession } from '../e2e/clients/session.ts';

/** Tools of every server: `fast` returns at once, `stream` sends as many events as its arguments say. */
const callTool: Answer = async (request, reply) => {
  const { params } = JSON.parse(request.body.toString()) as {
    params: { name: string; arguments: { events?: number } };
  };
  if (params.name !== 'stream') {
    reply.head(200, { 'content-type': 'application/json' });
    reply.end(`{"jsonrpc":"2.0","id":${request.id},"result":{"content":[{"type":"text","text":"done"}]}}`);
    return;
  }
  reply.head(200, { 'content-type': 'text/event-stream' });
  const { events = 10 } = params.arguments;
  for (let event = 1; event <= events; event++) {
    const message = { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: event } };
    reply.write(`id: ${event}\ndata: ${JSON.stringify(message)}\n\n`);
    await sleep(50);
  }
  reply.write(`data: {"jsonrpc":"2.0","id":${request.id},"result":{"content":[]}}\n\n`);
  reply.end();
};

export const startToolServer = (): Promise<Scripted> =>
  startScripted({ tools: ['fast', 'stream'], answers: { 'tools/call': callTool } });

export interface Load {
  readonly calls: () => number;
  /** What went wrong, a line each. */
  readonly failures: readonly string[];
  /** Lets the calls under way end. */
  stop(): Promise<void>;
}

/** Calls `<prefix>fast` at a rate, in one session. */
export async function callSteadily(mcp: string, prefix: string, perSecond: number): Promise<Load> {
  const { id } = await openSession(mcp);
  const headers = { ...mcpHeaders, 'mcp-session-id': id };
  const failures: string[] = [];
  const underWay = new Set<Promise<void>>();
  let calls = 0;
  const until = new AbortController();
  const call = async (): Promise<void> => {
    calls += 1;
    try {
      // On connections that are kept, as clients do.
      const answer = await fetch(mcp, { method: 'POST', headers, body: callMessage(`"${prefix}fast"`) });
      const text = await answer.text();
      // Whatever answered: the module did, or what it let through.
      if (!answer.headers.has('x-mcp-gateway')) failures.push(`unfiltered: ${answer.status} ${text}`);
      else if (answer.status !== 200 || !text.includes('"done"')) failures.push(`${answer.status} ${text}`);
    } catch (error) {
      failures.push(String(error));
    }
  };
  const pace = (async () => {
    const start = performance.now();
    let begun = 0;
    while (!until.signal.aborted) {
      const due = Math.floor(((performance.now() - start) * perSecond) / 1000);
      for (; begun < due; begun++) {
        if (underWay.size > 20) continue; // the machine cannot keep up: that is no failure of the gateway
        const one = call().finally(() => underWay.delete(one));
        underWay.add(one);
      }
      await sleep(5);
    }
  })();
  return {
    calls: () => calls,
    failures,
    stop: async () => {
      until.abort();
      await pace;
      await Promise.all(underWay);
    },
  };
}

/** Reads one event stream to its end. @returns the numbers of its events, and whether its answer came */
export async function readStream(
  mcp: string,
  prefix: string,
  events: number,
): Promise<{ events: number[]; answered: boolean }> {
  const session = await openSession(mcp);
  const answer = await session.post(callMessage(`"${prefix}stream"`, JSON.stringify({ events })));
  const numbers = [...answer.text.matchAll(/"data":(\d+)/g)].map(([, number]) => Number(number));
  return { events: numbers, answered: answer.text.includes('"result"') };
}

export const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
