// Clients that do what clients do, in an order of chance, and hold each answer against what it has to be.
import { Agent, type IncomingMessage, request } from 'node:http';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { callMessage, initializeMessage, listMessage, mcpHeaders } from '../e2e/clients/session.ts';
import type { History } from './history.ts';
import { type CallArguments, digestOf } from './tool-server.ts';

/** What callers know of the gateway. */
export interface Served {
  readonly mcp: string;
  /** Servers that are configured all the time, and one that comes and goes. */
  readonly servers: readonly string[];
  readonly passing: string;
  /** How long a session lives, ms. */
  readonly sessionTtl: number;
  readonly history: History;
}

export interface Tally {
  /** Answers by what was done and what came of it: `call: right`, `call: upstream_unreachable`. */
  readonly outcomes: Map<string, number>;
  /** Answers that no circumstance explains, a line each; at most `mostShown` of them. */
  readonly wrong: string[];
  wrongs: number;
}

const mostShown = 20;

export const newTally = (): Tally => ({ outcomes: new Map(), wrong: [], wrongs: 0 });

export function count(tally: Tally, outcome: string): void {
  tally.outcomes.set(outcome, (tally.outcomes.get(outcome) ?? 0) + 1);
}

export function addWrong(tally: Tally, line: string): void {
  tally.wrongs++;
  if (tally.wrong.length < mostShown) tally.wrong.push(line);
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly session: string | undefined;
}

/** One step of a caller: what it sends, and what makes an answer right. */
interface Step {
  readonly kind: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: 'DELETE';
  /** @returns what is wrong with an answer that is no error, or undefined */
  judge(answer: Answer): string | undefined;
  /** The server that it depends on. */
  readonly server?: string;
  /** Reasons of errors that are right whatever happens. */
  readonly reasons?: readonly string[];
}

/** Why an answer may lack a server that was in trouble. */
const serverReasons = [
  'upstream_unreachable',
  'upstream_dropped',
  'upstream_timeout',
  'upstream_session_lost',
  'upstream_status',
  'upstream_protocol',
];

/** The gateway leaves a server that it could not reach alone for 10 s (filter/session/backoff.ts). */
const backoff = 11_000;

/** A configuration that is everywhere is in force with the next request of each worker. */
const settling = 2_000;

/** Until then every caller, and so the gateway and its servers, has a step under way: ms. */
const patience = 60_000;

/**
 * Runs one caller until it is told to stop.
 * @param pause how long to rest after each step, ms, drawn anew each time
 */
export async function runCaller(
  name: string,
  served: Served,
  tally: Tally,
  more: () => boolean,
  pause: () => number,
): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let session: { id: string; opened: number } | undefined;
  /** When a server was reached last in this session. */
  const reached = new Map<string, number>();
  let ids = 0;
  while (more()) {
    const id = String(++ids);
    const isModern = Math.random() < 0.1;
    if (session === undefined && !isModern) {
      const began = performance.now();
      const opened = await take(initializing(served));
      if (opened?.session !== undefined) session = { id: opened.session, opened: began };
      reached.clear();
      await sleep(pause());
      continue;
    }
    if (isModern) await take(modernCall(id));
    else {
      const step = draw(id);
      if (Math.random() < 0.03) await leave(step);
      else {
        const answer = await take(step);
        if (answer?.status === 404 || step.method === 'DELETE') session = undefined;
      }
    }
    await sleep(pause());
  }
  agent.destroy();

  /** Sends a step and judges its answer. @returns the answer, where one came */
  async function take(step: Step): Promise<Answer | undefined> {
    const began = performance.now();
    let answer: Answer | undefined;
    try {
      answer = await send(step, AbortSignal.timeout(patience));
    } catch (error) {
      addWrong(tally, `${step.kind}: ${String(error)} after ${Math.round(performance.now() - began)} ms`);
      return undefined;
    }
    const reason = /"reason":"(\w+)"/.exec(answer.text)?.[1];
    const isExplained = reason === undefined ? false : explains(step, reason, began, answer.text);
    const wrong = reason === undefined ? step.judge(answer) : isExplained ? undefined : 'an error';
    count(tally, `${step.kind}: ${wrong === undefined ? (reason ?? 'right') : 'wrong'}`);
    if (wrong === undefined && step.server !== undefined) reached.set(step.server, began);
    if (wrong !== undefined) addWrong(tally, `${step.kind}: ${wrong}: ${answer.status} ${answer.text.slice(0, 300)}`);
    return answer;
  }

  function explains(step: Step, reason: string, began: number, text: string): boolean {
    const now = performance.now();
    const { history } = served;
    if (step.reasons?.includes(reason) === true) return true;
    if (reason === 'session_unknown') {
      const since = session?.opened ?? now;
      return now - since > served.sessionTtl - 1000 || history.had('keys', since, now, settling);
    }
    const server = /"server":"(\w+)"/.exec(text)?.[1] ?? step.server;
    if (server === undefined || !serverReasons.includes(reason)) return false;
    return history.had(
      server,
      reason === 'upstream_session_lost' ? lastReached(step, server, began) : began,
      now,
      backoff,
    );
  }

  /** A server may have lost a session long before it is used again: the first large call learns of it. */
  function lastReached({ kind }: Step, server: string, began: number): number {
    return kind === 'call' ? (reached.get(server) ?? session?.opened ?? began) : began;
  }

  async function send(step: Step, signal: AbortSignal): Promise<Answer> {
    const sent = request(served.mcp, { method: step.method ?? 'POST', agent, headers: headersOf(step), signal });
    sent.end(step.body);
    const [response] = (await once(sent, 'response', { signal })) as [IncomingMessage];
    let text = '';
    for await (const part of response.setEncoding('utf8') as AsyncIterable<string>) text += part;
    const opened = response.headers['mcp-session-id'];
    return { status: response.statusCode ?? 0, text, session: typeof opened === 'string' ? opened : undefined };
  }

  /** Sends a part of a step, or all of it, and goes away before it is answered. */
  async function leave(step: Step): Promise<void> {
    const length = Buffer.byteLength(step.body);
    const headers = { ...headersOf(step), 'content-length': length };
    const sent = request(served.mcp, { method: step.method ?? 'POST', agent: false, headers });
    sent.on('error', () => undefined);
    sent.on('response', (response) => response.resume());
    sent.write(step.body.slice(0, Math.floor(Math.random() * (step.body.length + 1))));
    await sleep(Math.random() * 20);
    sent.destroy();
    if (step.method === 'DELETE') session = undefined; // it may have ended
    count(tally, 'left in the middle');
  }

  function headersOf({ headers }: Step): Record<string, string> {
    return {
      ...mcpHeaders,
      'x-user': name,
      ...(headers ?? { 'mcp-session-id': session?.id ?? '', 'mcp-protocol-version': '2025-11-25' }),
    };
  }

  function draw(id: string): Step {
    const chance = Math.random();
    if (chance < 0.6) return echo(id, pick(served.servers));
    if (chance < 0.65) return echo(id, served.passing, ['unknown_tool', ...serverReasons]);
    if (chance < 0.8) return list(id);
    if (chance < 0.87) return { kind: 'ping', body: `{"jsonrpc":"2.0","id":${id},"method":"ping"}`, judge: is('{}') };
    if (chance < 0.92) return refused('unknown_tool', callMessage('"no_such_tool"', '{}', id));
    if (chance < 0.97) return refused('parse_error', callMessage('"alpha_echo"', '{"a":', id));
    return { kind: 'end of a session', body: '', method: 'DELETE', judge: ({ status }) => other(status, 200) };
  }

  function argumentsOf(id: string): CallArguments {
    const size = Math.random() < 0.02 ? 100_000 : Math.floor(Math.random() * 2000);
    return { caller: name, text: `${id} ${'é"\\ plain '.repeat(size / 10)}` };
  }

  function echo(id: string, server: string, reasons: readonly string[] = []): Step {
    const given = argumentsOf(id);
    const body = callMessage(`"${server}_echo"`, JSON.stringify(given), id);
    return { kind: 'call', body, server, reasons, judge: hasResult(id, server, given) };
  }

  function modernCall(id: string): Step {
    const server = pick(served.servers);
    const given = argumentsOf(id);
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    const params = { name: `${server}_echo`, arguments: given, _meta: meta };
    const body = `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":${JSON.stringify(params)}}`;
    const headers = {
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': params.name,
    };
    return { kind: 'call without a session', body, headers, server, judge: hasResult(id, server, given) };
  }

  function list(id: string): Step {
    const began = performance.now();
    const judge = ({ status, text }: Answer): string | undefined => {
      const { result } = JSON.parse(text) as { result: { tools: { name: string }[] } };
      const listed = new Set(result.tools.map((tool) => tool.name));
      const now = performance.now();
      for (const server of [...served.servers, served.passing]) {
        for (const tool of ['echo', 'stream']) {
          const isThere = listed.delete(`${server}_${tool}`);
          const mayBeMissing = server === served.passing || served.history.had(server, began, now, backoff);
          if (!isThere && !mayBeMissing) return `a list without ${server}_${tool}`;
        }
      }
      if (listed.size > 0) return `a list with ${[...listed].join()}`;
      return other(status, 200) ?? (text.includes(`"id":${id},`) ? undefined : 'another id');
    };
    return { kind: 'list', body: listMessage(id), judge };
  }
}

function initializing({ servers, history }: Served): Step {
  const began = performance.now();
  const judge = ({ status, session }: Answer): string | undefined =>
    other(status, 200) ?? (session === undefined ? 'no session' : undefined);
  // With every server down there is no session to be had.
  const now = performance.now();
  const allDown = servers.every((server) => history.had(server, began, now, backoff));
  return {
    kind: 'initialize',
    body: initializeMessage(),
    headers: {},
    reasons: allDown ? serverReasons : [],
    judge,
  };
}

function refused(reason: string, body: string): Step {
  return { kind: 'refused', body, reasons: [reason], judge: () => `no ${reason}` };
}

function hasResult(id: string, server: string, given: CallArguments): Step['judge'] {
  const digest = digestOf(given);
  return ({ status, text }) => {
    const expected = `"structuredContent":{"server":"${server}","digest":"${digest}"}`;
    if (!text.includes(expected)) return 'another result';
    return other(status, 200) ?? (text.includes(`"id":${id},`) ? undefined : 'another id');
  };
}

function is(result: string): Step['judge'] {
  return ({ status, text }) =>
    other(status, 200) ?? (text.includes(`"result":${result}`) ? undefined : 'another result');
}

function other(status: number, expected: number): string | undefined {
  return status === expected ? undefined : `status ${status} in place of ${expected}`;
}

function pick<T>(all: readonly T[]): T {
  const one = all[Math.floor(Math.random() * all.length)];
  if (one === undefined) throw new Error('there is nothing to pick from');
  return one;
}
