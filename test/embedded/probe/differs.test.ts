// Where the engines differ, as docs/embedded.md says: what each of them does.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { probeBootstrap } from './bootstrap.ts';
import { engines } from './engines.ts';
import { type Upstreams, noGates, startUpstreams } from './upstream.ts';

const module = fileURLToPath(new URL('../../../build/probe.wasm', import.meta.url));

const filters = [{ root_id: 'a', allow_on_headers_stop_iteration: true }];
/** The answer's status tells the callout's. */
const callout = (request: string): string =>
  `headers: call-with ${request}; return 1\tcall: use a; get call :status; reply 200; return 0`;

/** What a client gets, and what the probe says among other things. */
interface Seen {
  readonly status: number;
  readonly says: string;
}

/** Envoy lets the server judge what a module sends and Node does not write: 400 is the server's word. */
const cases: readonly (readonly [title: string, script: string, envoy: Seen, embedded: Seen])[] = [
  [
    'a method that is no token',
    'headers: replace request :method G,T; return 0',
    { status: 400, says: 'replace request :method G,T = Ok' },
    { status: 502, says: 'replace request :method G,T = Ok' },
  ],
  [
    'a path with a space',
    String.raw`headers: replace request :path /a\x20b; return 0`,
    { status: 400, says: String.raw`replace request :path /a\x20b = Ok` },
    { status: 502, says: String.raw`replace request :path /a\x20b = Ok` },
  ],
  [
    'a name that is no token',
    'headers: add request a,b c; return 0',
    { status: 503, says: 'add request a,b c = Ok' },
    { status: 502, says: 'add request a,b c = Ok' },
  ],
  [
    'a header of connections, over HTTP/2',
    'headers: replace request x-route h2; add request connection x; return 0',
    { status: 502, says: 'add request connection x = Ok' },
    { status: 502, says: 'add request connection x = Ok' },
  ],
  [
    'a callout with a method that is no token',
    callout('one 9000 :method G,T :path / :authority a'),
    { status: 200, says: 'get call :status = Ok "400"' },
    { status: 200, says: 'get call :status = Ok "502"' },
  ],
  [
    'expressions in CEL',
    'headers: foreign expr_create request.path; return 0',
    { status: 200, says: String.raw`foreign expr_create request.path = Ok "\x00\x00\x00\x00"` },
    { status: 200, says: 'foreign expr_create request.path = NotFound' },
  ],
];

describe.each(engines)('$name', (engine) => {
  let upstreams: Upstreams;
  let running: Awaited<ReturnType<typeof engine.start>>;
  beforeAll(async () => {
    upstreams = await startUpstreams(noGates);
    running = await engine.start(probeBootstrap(module, [{ name: 'l0', setup: { filters } }], upstreams.ports));
  });
  afterAll(async () => {
    await running.stop();
    await upstreams.stop();
  });

  test.each(cases)('%s', async (title, script, envoy, embedded) => {
    const expected = engine.name === 'envoy' ? envoy : embedded;
    const name = title.replaceAll(/\W/g, '-');
    const headers = { 'x-case': name, 'x-probe': script };
    const { status } = await fetch(`http://${running.listeners.get('l0') ?? ''}/ok`, { headers });
    expect(status).toBe(expected.status);
    const said = running.log().split('\n').filter((line) => line.includes(`[${name}]`)); // prettier-ignore
    expect(said.map((line) => line.slice(line.indexOf(']   ') + 4))).toContain(expected.says);
  });
});
