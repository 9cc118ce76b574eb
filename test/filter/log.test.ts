// What servers can get into the log: whatever they say, and however often.
import { expect, test } from 'vitest';
import { answerAll, ask, INITIALIZE, startHost, usualAnswer } from './gateway.ts';
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
