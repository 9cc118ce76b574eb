// `sluice doctor` as a command of a test's own process, and what it found.
import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { doctor } from '../../cli/doctor/command.ts';
import type { Finding } from '../../cli/doctor/finding.ts';

export interface Examination {
  readonly code: number;
  readonly findings: readonly Finding[];
  /** Ids of the symptoms that were found. */
  readonly problems: readonly string[];
  /** The first finding of a symptom. */
  of(symptom: string): Finding | undefined;
  /** What was written, as it was. */
  readonly text: string;
}

/** @param env has tokens, as in the environment of the command */
export async function examine(args: readonly string[], env: Record<string, string> = {}): Promise<Examination> {
  let text = '';
  const take = (piece: string): void => void (text += piece);
  const code = await doctor.run([...args, '--json'], { out: take, err: take, interactive: false, env });
  const events = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string } & Finding);
  const findings = events.filter(({ event }) => event === 'finding');
  const problems = [...new Set(findings.filter(({ state }) => state === 'problem').map(({ symptom }) => symptom))];
  return { code, findings, problems, text, of: (symptom) => findings.find((each) => each.symptom === symptom) };
}

export interface Faults {
  /** Answers instead of passing a request on; false: it is passed on. */
  readonly answers?: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Headers that are taken away. */
  readonly ofRequests?: readonly string[];
  readonly ofResponses?: readonly string[];
}

/** A proxy before a gateway, with faults. @param target the origin that it passes requests on to */
export async function startProxy(target: string, faults: Faults): Promise<{ url: string; stop(): void }> {
  const pass = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    if (faults.answers?.(incoming, outgoing) === true) return;
    const without = (headers: IncomingMessage['headers'], names: readonly string[] = []) =>
      Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
    const { method, url = '', headers } = incoming;
    const passed = request(target + url, { method, headers: without(headers, faults.ofRequests), agent: false });
    passed.on('error', () => outgoing.destroy());
    passed.on('response', (response) => {
      outgoing.writeHead(response.statusCode ?? 502, without(response.headers, faults.ofResponses));
      response.pipe(outgoing);
    });
    incoming.pipe(passed);
  };
  const server = createServer(pass);
  server.on('checkContinue', (incoming: IncomingMessage, outgoing: ServerResponse) => {
    if (faults.answers?.(incoming, outgoing) === true) return;
    outgoing.writeContinue();
    incoming.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
