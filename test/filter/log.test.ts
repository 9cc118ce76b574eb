// What servers can get into the log: whatever they say, and however often.
import { describe, expect, test } from 'vitest';
import { answerAll, ask, callOf, INITIALIZE, LIST, openSession, startHost, startPair, usualAnswer } from './gateway.ts';
import type { Callout, CalloutAnswer } from './callouts.ts';
import type { Host } from './host.ts';

const HOUR = 3_600_000_000_000n;
const MOST = 30;

/** A session is begun so many times, with a server that refuses in these words. */
function refuse(host: Host, times: number, words: string, code = 500): void {
  const answer = (callout: Callout): CalloutAnswer =>
    callout.cluster === 'weather'
      ? { headers: [[':status', String(code)]], body: Buffer.from(words) }
      : usualAnswer(callout);
  for (let i = 0; i < times; i++) {
    const stream = ask(host, { body: INITIALIZE });
    answerAll(host, answer);
    stream.close();
  }
}

test('a server that fails all the time fills no log, in whatever direction the clock is set', () => {
  const host = startHost();
  refuse(host, 1000, 'busy');
  const about = (): string[] => host.log.filter((line) => line.startsWith('warn: weather: '));
  expect(about()).toHaveLength(MOST + 1);
  expect(about().at(-1)).toMatch(/^warn: weather: upstream_status: more such lines than the log takes in a minute/);
  refuse(host, 10, 'busy');
  expect(about()).toHaveLength(MOST + 1);

  refuse(host, 1, 'who are you', 401);
  expect(about().at(-1), 'what is said once is not hidden').toBe(
    'warn: weather: upstream_unauthorized: HTTP 401: who are you',
  );
  host.now -= HOUR;
  refuse(host, 1, 'an hour ago');
  expect(about().at(-1)).toBe('warn: weather: upstream_status: HTTP 500: an hour ago');
  host.now += 2n * HOUR;
  refuse(host, 1, 'an hour later');
  expect(about().at(-1)).toBe('warn: weather: upstream_status: HTTP 500: an hour later');
});

test('a line of the log is one line of text, and ends', () => {
  const host = startHost();
  const control = Array.from({ length: 0xa0 }, (_, code) => String.fromCodePoint(code)).join('');
  const initialize = (callout: Callout): CalloutAnswer => {
    const id = /"id":("[^"]*")/.exec(callout.body.toString())?.[1] ?? 'null';
    const error = JSON.stringify({ code: -32000, message: `${control}\u2028\u2029\ud800 end` });
    return callout.cluster === 'weather'
      ? {
          headers: [
            [':status', '200'],
            ['content-type', 'application/json'],
          ],
          body: Buffer.from(`{"jsonrpc":"2.0","id":${id},"error":${error}}`),
        }
      : usualAnswer(callout);
  };
  ask(host, { body: INITIALIZE }).close();
  answerAll(host, initialize);
  const type = `${control.slice(0x20)}${'x'.repeat(5000)}`;
  ask(host, { body: INITIALIZE });
  answerAll(host, (callout) =>
    callout.cluster === 'weather'
      ? {
          headers: [
            [':status', '200'],
            ['content-type', type],
          ],
          body: Buffer.from('x'),
        }
      : usualAnswer(callout),
  );
  const lines = host.log.filter((line) => line.startsWith('warn: weather: '));
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) {
    expect(Buffer.from(line).length).toBeLessThan(700);
    expect(line).not.toMatch(/\p{Cc}|\p{Zl}|\p{Zp}|\p{Cs}/u);
  }
});

describe('at level debug there is a line for each decision', () => {
  const lines = (host: Host): string[] => host.log.filter((line) => line.startsWith('debug: request '));
  const last = (host: Host): string | undefined =>
    lines(host)
      .at(-1)
      ?.replace(/request \d+: /, '');

  test('that says what was asked, of whom, and what became of it', () => {
    const host = startHost({ log: 'debug' });
    const headers = openSession(host);
    expect(last(host)).toBe('debug: initialize → answered here');
    const body = callOf('weather_get', 700);
    ask(host, { headers, body });
    expect(lines(host).at(-1)).toMatch(/^debug: request \d+: tools/);
    expect(last(host)).toBe(`debug: tools/call weather_get → weather, held whole (${body.length} bytes)`);
    ask(host, { headers, body: LIST });
    expect(last(host), 'before the servers have answered').toContain('tools/call');
    answerAll(host);
    expect(last(host)).toBe('debug: tools/list → answered here');
    ask(host, { headers, body: callOf('stock_get') });
    expect(last(host)).toBe('debug: tools/call stock_get → answered here: unknown_tool');
    ask(host, { method: 'GET' });
    expect(last(host)).toBe('debug: GET → answered here: method_not_allowed');
    expect(lines(host)).toHaveLength(5);
  });

  test('that says how much of a body was held when it was sent on', () => {
    const host = startHost({ log: 'debug' });
    const headers = openSession(host);
    ask(host, { headers, body: callOf('weather_get', 300_000), chunkSize: 16_384 });
    expect(last(host)).toBe('debug: tools/call weather_get → weather, released at 65536 bytes');
    const before = lines(host).length;
    ask(host, { headers, body: callOf('weather_get', 300_000).replace(/\}$/, ',"id":3}'), chunkSize: 16_384 });
    expect(
      lines(host)
        .slice(before)
        .map((line) => line.replace(/.* → /, '')),
    ).toEqual(['weather, released at 65536 bytes', 'weather, answered here: parse_error']);
  });

  test('in host mode headers, where no body is held', () => {
    const host = startHost({ log: 'debug', hostMode: 'headers' });
    const headers: [string, string][] = [
      ['mcp-protocol-version', '2026-07-28'],
      ['mcp-method', 'tools/call'],
      ['mcp-name', 'weather_get'],
    ];
    const meta = '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"},';
    ask(host, { headers, body: callOf('weather_get').replace('"name"', `${meta}"name"`) });
    expect(lines(host).map((line) => line.replace(/request \d+: /, ''))).toEqual([
      'debug: tools/call weather_get → weather, sent on by its headers',
    ]);
  });

  test('in host mode pair, from the filter that decides', () => {
    const pair = startPair({ log: 'debug' });
    const headers = openSession(pair);
    ask(pair, { headers, body: callOf('weather_get') });
    expect(last(pair.host)).toMatch(/^debug: tools\/call weather_get → weather, held whole \(\d+ bytes\)$/);
    expect(lines(pair.host)).toHaveLength(2);
  });

  test('that is one line of text, and ends, whatever name a client sends', () => {
    const host = startHost({ log: 'debug' });
    const headers = openSession(host);
    ask(host, { headers, body: callOf('weather_a\\n\\u001b[2J\\u2028debug: request 7') });
    expect(last(host)).toContain('tools/call weather_a\\u000a\\u001b[2J\\u2028debug: request 7 → weather, held whole');
    ask(host, { headers, body: callOf('weather_'.padEnd(5000, 'x')) });
    expect(Buffer.from(last(host) ?? '').length).toBeLessThan(250);
  });

  test('and none at any level above, nor a host call more', () => {
    const callsAt = (level: string): [number, number] => {
      const host = startHost({ log: level });
      const headers = openSession(host);
      const before = host.calls;
      ask(host, { headers, body: callOf('weather_get') });
      return [lines(host).length, host.calls - before];
    };
    const [, calls] = callsAt('critical');
    expect(callsAt('info')).toEqual([0, calls]);
    expect(callsAt('debug')).toEqual([2, calls + 1]);
  });
});
