// Clients that read the event stream of a call to its end, one after the other, and hold each event against the one before.
import { setTimeout as sleep } from 'node:timers/promises';
import { postForEvents } from '../e2e/clients/event-stream.ts';
import { openSession } from '../e2e/clients/session.ts';
import { type Tally, addWrong, count } from './callers.ts';
import { type CallArguments, digestOf } from './tool-server.ts';

export interface Reading {
  readonly mcp: string;
  readonly server: string;
  readonly events: number;
  /** Between two events, ms. */
  readonly pause: number;
  /** How many of the streams their clients leave in the middle, 0 to 1. */
  readonly leaving: number;
}

/** Reads streams until it is told to stop; the last one is read to its end. */
export async function runReader(name: string, reading: Reading, tally: Tally, more: () => boolean): Promise<void> {
  await sleep(Math.random() * reading.pause * reading.events); // so that not all of them begin, and end, at once
  while (more()) {
    try {
      const outcome = await readOne(name, reading);
      count(tally, `stream: ${outcome}`);
    } catch (error) {
      count(tally, 'stream: wrong');
      addWrong(tally, `stream of ${name}: ${String(error)}`);
      await sleep(100);
    }
  }
}

/** @throws Error that says which event was lost, mixed or changed */
async function readOne(name: string, { mcp, server, events, pause, leaving }: Reading): Promise<string> {
  const headers = { 'x-user': name };
  const { id: session } = await openSession(mcp, { headers });
  const given: CallArguments = { caller: name, text: 'é'.repeat(20), events, pause };
  const progressToken = `token of ${name}`;
  const call = { name: `${server}_stream`, arguments: given, _meta: { progressToken } };
  const body = JSON.stringify({ jsonrpc: '2.0', id: name, method: 'tools/call', params: call });
  const stream = await postForEvents(mcp, session, body, headers);
  if (stream.status !== 200) throw new Error(`status ${stream.status}: ${await stream.next()}`);
  const last = Math.random() < leaving ? Math.floor(Math.random() * events) : events;
  for (let n = 1; n <= last; n++) {
    const event = JSON.parse(await stream.next()) as unknown;
    const expected =
      n % 2 === 0
        ? { method: 'notifications/progress', params: { progressToken, progress: n, message: name } }
        : { method: 'notifications/message', params: { level: 'info', data: { caller: name, n } } };
    const [found, wanted] = [JSON.stringify(event), JSON.stringify({ jsonrpc: '2.0', ...expected })];
    if (found !== wanted) throw new Error(`event ${n} is ${found} in place of ${wanted}`);
  }
  if (last < events) {
    stream.leave();
    return 'left in the middle';
  }
  const rest = await stream.end();
  const result = { content: [], structuredContent: { server, digest: digestOf(given) } };
  const wanted = JSON.stringify({ jsonrpc: '2.0', id: name, result });
  if (rest.length !== 1 || rest[0] !== wanted) throw new Error(`it ends with ${rest.join(' ')} in place of ${wanted}`);
  return 'whole';
}
